# Drives a registry through Net::EPP, a client that is not ours: DS records and a host that is
# renamed (stage "begin"), and days later a deletion, a restore and the end (stage "end").
# Prints a line per step; dies at the first that is not as expected.
# usage: netepp_life.pl HOST PORT ID PASSWORD CERT KEY CA LABEL begin|end TIME
use strict;
use warnings;
use Net::EPP::Simple;

my ($host, $port, $id, $password, $cert, $key, $ca, $label, $stage, $now) = @ARGV;
my $domain = "$label.example";
my $epp = Net::EPP::Simple->new(
	host => $host, port => $port, user => $id, pass => $password,
	key => $key, cert => $cert, verify => 1, ca_file => $ca, timeout => 20, load_config => 0,
) or die "login failed: $Net::EPP::Simple::Code $Net::EPP::Simple::Error $Net::EPP::Simple::Message\n";
print "$id logged in\n";

my %ns = (
	domain => 'urn:ietf:params:xml:ns:domain-1.0', host => 'urn:ietf:params:xml:ns:host-1.0',
	secDNS => 'urn:ietf:params:xml:ns:secDNS-1.1', rgp => 'urn:ietf:params:xml:ns:rgp-1.0',
);

# Sends a command that Net::EPP::Simple has no method for, and expects the code.
sub command {
	my ($step, $code, $body) = @_;
	my $spaces = join ' ', map { qq(xmlns:$_="$ns{$_}") } sort keys %ns;
	my $response = $epp->request(qq(<?xml version="1.0" encoding="UTF-8"?><epp xmlns="urn:ietf:params:xml:ns:epp-1.0" $spaces><command>$body<clTRID>LIFE-1</clTRID></command></epp>));
	die "$step: no answer\n" unless $response;
	die "$step: code " . $response->code . ', not ' . $code . ': ' . $response->msg . "\n" unless $response->code == $code;
	print "$step $code\n";
	return $response;
}

sub ok {
	my ($step, $result) = @_;
	die "$step failed: $Net::EPP::Simple::Code $Net::EPP::Simple::Message\n" unless $result;
	print "$step $Net::EPP::Simple::Code\n";
	return $result;
}

sub is {
	my ($what, $got, $want) = @_;
	die "$what is '$got', not '$want'\n" unless $got eq $want;
	print "$what is $got\n";
}

# The texts of all elements of a local name, sorted.
sub texts {
	my ($response, $name) = @_;
	return join ',', sort map { $_->textContent } $response->getElementsByLocalName($name);
}

my $info = "<info><domain:info><domain:name>$domain</domain:name></domain:info></info>";
my $ds = '<secDNS:dsData><secDNS:keyTag>%d</secDNS:keyTag><secDNS:alg>13</secDNS:alg><secDNS:digestType>2</secDNS:digestType><secDNS:digest>' . ('AB' x 32) . '</secDNS:digest></secDNS:dsData>';
my $update = "<update><domain:update><domain:name>$domain</domain:name><domain:chg/></domain:update></update><extension>%s</extension>";

if ($stage eq 'begin') {
	ok('create contact', $epp->create_contact({
		id => "$label-c", voice => '+41.441234567', email => 'person@example.net', authInfo => 'Qz7#vL2m!Rk9$Tp4+Wx6',
		postalInfo => { int => { name => 'A. Person', addr => { street => ['1 Way'], city => 'Bern', pc => '3000', cc => 'CH' } } },
	}));
	ok('create domain', $epp->create_domain({
		name => $domain, period => 1, registrant => "$label-c", contacts => {}, authInfo => 'Hd3%yN8b!Jc5$Gs1+Fu0',
	}));
	ok('create host', $epp->create_host({ name => "ns1.$domain", addrs => [ { ip => '192.0.2.1', version => 'v4' } ] }));
	ok('create external host', $epp->create_host({ name => "ns.$label.test", addrs => [] }));
	ok('delegate', $epp->update_domain({ name => $domain, add => { ns => [ "ns1.$domain", "ns.$label.test" ] } }));
	command('add DS records', 1000, sprintf($update, '<secDNS:update><secDNS:add>' . sprintf($ds, 1) . sprintf($ds, 2) . '</secDNS:add></secDNS:update>'));
	is('the key tags', texts(command('info', 1000, $info), 'keyTag'), '1,2');
	command('add a DS record that is there', 2306, sprintf($update, '<secDNS:update><secDNS:add>' . sprintf($ds, 2) . '</secDNS:add></secDNS:update>'));
	command('remove a DS record', 1000, sprintf($update, '<secDNS:update><secDNS:rem>' . sprintf($ds, 1) . '</secDNS:rem></secDNS:update>'));
	is('the key tag', texts(command('info', 1000, $info), 'keyTag'), '2');
	command('rename the host', 1000, "<update><host:update><host:name>ns1.$domain</host:name><host:chg><host:name>ns2.$domain</host:name></host:chg></host:update></update>");
	is('the name servers', join(',', sort @{ ok('info domain', $epp->domain_info($domain))->{ns} }), "ns.$label.test,ns2.$domain");
} else {
	command('delete with a host below', 2305, "<delete><domain:delete><domain:name>$domain</domain:name></domain:delete></delete>");
	ok('remove the name server', $epp->update_domain({ name => $domain, rem => { ns => [ "ns2.$domain" ] } }));
	ok('delete the host', $epp->delete_host("ns2.$domain"));
	command('delete the domain', 1001, "<delete><domain:delete><domain:name>$domain</domain:name></domain:delete></delete>");
	command('update what is deleted', 2304, "<update><domain:update><domain:name>$domain</domain:name><domain:add><domain:status s=\"clientHold\"/></domain:add></domain:update></update>");
	command('request the restore', 1000, sprintf($update, '<rgp:update><rgp:restore op="request"/></rgp:update>'));
	my ($status) = command('info', 1000, $info)->getElementsByLocalName('rgpStatus');
	is('the status', $status->getAttribute('s'), 'pendingRestore');
	command('report the restore', 1000, sprintf($update, '<rgp:update><rgp:restore op="report"><rgp:report><rgp:preData>a</rgp:preData><rgp:postData>a</rgp:postData>' .
		"<rgp:delTime>$now</rgp:delTime><rgp:resTime>$now</rgp:resTime><rgp:resReason>a mistake</rgp:resReason><rgp:statement>so it is</rgp:statement></rgp:report></rgp:restore></rgp:update>"));
	is('the name servers after the restore', join(',', @{ ok('info domain', $epp->domain_info($domain))->{ns} }), "ns.$label.test");
	is('the DS record after the restore', texts(command('info', 1000, $info), 'keyTag'), '2');
}
print "done $stage $domain\n";
$epp->logout or die "logout failed\n";
