// Package raftnode replicates the log of commands: it runs hashicorp/raft over mutual TLS
// and a log of its own, feeds committed entries to the state machine, and offers the rest of the
// program five things: propose a command, confirm a read index, wait until an index is
// applied, change the membership, and run work on the leader only.
//
// It is the only importer of hashicorp/raft. Known defects of that library are wrapped here:
//
//   - Heartbeats take the ordinary path through raft's main thread; the transport's fast
//     path can change the term beside that thread (raft#695).
//   - Replication is not pipelined; the pipeline can wedge one follower for ever (raft#612).
//   - Leadership for reads is confirmed by voters only; VerifyLeader counts non-voters.
//   - The first failed or hung write of the log is final and ends the process (raft#503).
//   - After a checkpoint was installed, log entries that it overtook are removed, so that
//     a stale suffix can neither block replication (raft#697) nor be sent to others.
//
// The log is kept in segments that are appended to, with one sync for each append and a checksum
// in each record that is looked at whenever it is read. raft-boltdb syncs twice, and raft-wal
// takes a damaged record for the end of the log. Term and vote, which seldom change, and the logs
// of programs before feature level 4 are in a file of bbolt.
//
// Snapshots are virtual. The state is on disk and carries its own applied index, so "taking
// a snapshot" only makes the state durable before raft truncates its log; data is
// materialised, as a checkpoint stream, only for a peer that lags behind the log, for a new
// node, or for a backup.
package raftnode
