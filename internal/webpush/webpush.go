// Package webpush tells residents by a notification of their own browser what they would otherwise be told by text message,
// when they asked for that on this very device (RFC 8030, RFC 8291, RFC 8292).
//
// Invariants: only a resident who is logged in and has allowed it is written to, and only on the devices where they did;
// logging out there ends it. A push service, which stands outside and may be anybody's, gets nothing that it can read, and
// nothing inside the own network is ever taken for one. What is written is the text of the message and nothing more about
// anybody. Whatever no device has shown in time goes by text message: silence is no delivery.
package webpush
