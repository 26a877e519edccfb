# Drives a registry through Net::EPP, a client that is not ours: the life of a domain with
# its contact and hosts. Prints a line per step; dies at the first that is not as expected.
# With a second registrar, also a transfer between the two and its messages.
# usage: netepp.pl HOST PORT ID PASSWORD CERT KEY CA LABEL [ID PASSWORD CERT KEY]
use strict;
use warnings;
use Net::EPP::Simple;
use Net::EPP::Frame::Command::Poll::Req;
use Net::EPP::Frame::Command::Poll::Ack;

my ($host, $port, $id, $password, $cert, $key, $ca, $label, @other) = @ARGV;
my $domain = "$label.example";

sub login {
	my ($user, $pass, $cert, $key) = @_;
	my $session = Net::EPP::Simple->new(
		host => $host, port => $port, user => $user, pass => $pass,
		key => $key, cert => $cert, verify => 1, ca_file => $ca, timeout => 20, load_config => 0,
	) or die "login failed: $Net::EPP::Simple::Code $Net::EPP::Simple::Error $Net::EPP::Simple::Message\n";
	print "$user logged in\n";
	return $session;
}

my $epp = login($id, $password, $cert, $key);

sub ok {
	my ($step, $result) = @_;
	die "$step failed: $Net::EPP::Simple::Code $Net::EPP::Simple::Message\n" unless $result;
	print "$step $Net::EPP::Simple::Code\n";
	return $result;
}

sub refused {
	my ($step, $code, $result) = @_;
	die "$step was not refused\n" if $result;
	die "$step: code $Net::EPP::Simple::Code, not $code\n" unless $Net::EPP::Simple::Code == $code;
	print "$step $code\n";
}

sub is {
	my ($what, $got, $want) = @_;
	die "$what is '$got', not '$want'\n" unless $got eq $want;
	print "$what is $got\n";
}

is('availability before', $epp->check_domain($domain), 1);
ok('create contact', $epp->create_contact({
	id => "$label-c", voice => '+41.441234567', email => 'person@example.net', authInfo => 'Qz7#vL2m!Rk9$Tp4+Wx6',
	postalInfo => { int => { name => 'A. Person', org => 'Org', addr => { street => ['1 Way'], city => 'Bern', pc => '3000', cc => 'CH' } } },
}));
is('the contact\'s e-mail', $epp->contact_info("$label-c")->{email}, 'person@example.net');
ok('create domain', $epp->create_domain({
	name => $domain, period => 2, registrant => "$label-c", contacts => { admin => "$label-c", tech => "$label-c" }, authInfo => 'Hd3%yN8b!Jc5$Gs1+Fu0',
}));
is('availability after', $epp->check_domain($domain), 0);
refused('create domain again', 2302, $epp->create_domain({ name => $domain, period => 1, registrant => "$label-c", contacts => {}, authInfo => 'Other-2*Fv6GkM1oQaZ8tY' }));
for my $n (1, 2) {
	ok("create host $n", $epp->create_host({ name => "ns$n.$domain", addrs => [ { ip => "192.0.2.$n", version => 'v4' }, { ip => "2001:db8::$n", version => 'v6' } ] }));
}
is('availability of the host', $epp->check_host("ns1.$domain"), 0);
ok('delegate', $epp->update_domain({ name => $domain, add => { ns => [ "ns1.$domain", "ns2.$domain" ] } }));
my $info = ok('info domain', $epp->domain_info($domain));
is('the registrant', $info->{registrant}, "$label-c");
is('the name servers', join(',', sort @{ $info->{ns} }), "ns1.$domain,ns2.$domain");
is('the sponsor', $info->{clID}, $id);
refused('delete linked contact', 2305, $epp->delete_contact("$label-c"));
refused('delete linked host', 2305, $epp->delete_host("ns1.$domain"));
ok('renew', $epp->renew_domain({ name => $domain, cur_exp_date => substr($info->{exDate}, 0, 10), period => 1 }));
my $renewed = $epp->domain_info($domain);
is('the year of expiry', substr($renewed->{exDate}, 0, 4), substr($info->{exDate}, 0, 4) + 1);
ok('hold', $epp->update_domain({ name => $domain, add => { status => { clientHold => '' } } }));
ok('release', $epp->update_domain({ name => $domain, rem => { status => [ 'clientHold' ] } }));

# Reads the first message, which must be about the domain and its transfer, and acknowledges it.
sub message {
	my ($session, $name, $status) = @_;
	my $response = $session->request(Net::EPP::Frame::Command::Poll::Req->new);
	is('the code of the poll', $response->code, 1301);
	my %data = map { $_->localName => $_->textContent } $response->getElementsByLocalName('trnData')->shift->childNodes;
	is('the domain of the message', $data{name}, $name);
	is('the transfer of the message', $data{trStatus}, $status);
	my $ack = Net::EPP::Frame::Command::Poll::Ack->new;
	$ack->setMsgID($response->getElementsByLocalName('msgQ')->shift->getAttribute('id'));
	is('the code of the acknowledgement', $session->request($ack)->code, 1000);
	is('the code of the next poll', $session->request(Net::EPP::Frame::Command::Poll::Req->new)->code, 1300);
}

if (@other) {
	my $moved = "moved-$domain";
	my $secret = 'Moved-4T8s!kQ2zLwX9rV7bNpA3';
	ok('create the domain to move', $epp->create_domain({ name => $moved, period => 1, registrant => "$label-c", contacts => {}, authInfo => $secret }));
	my $gaining = login(@other);
	refused('transfer with a wrong secret', 2202, $gaining->domain_transfer_request($moved, "$secret-not", 1));
	is('the transfer', ok('request transfer', $gaining->domain_transfer_request($moved, $secret, 1))->{trStatus}, 'pending');
	message($epp, $moved, 'pending');
	ok('reject transfer', $epp->domain_transfer_reject($moved));
	message($gaining, $moved, 'clientRejected');
	ok('request transfer again', $gaining->domain_transfer_request($moved, $secret, 1));
	message($epp, $moved, 'pending');
	ok('approve transfer', $epp->domain_transfer_approve($moved));
	message($gaining, $moved, 'clientApproved');
	is('the sponsor after the transfer', $gaining->domain_info($moved)->{clID}, $other[0]);
	$gaining->logout or die "logout failed\n";
}
print "done $domain\n";
$epp->logout or die "logout failed\n";
