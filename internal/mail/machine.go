package mail

import (
	"bufio"
	"bytes"
	"net/textproto"
	"slices"
	"strings"
)

// machineOf says by what a letter was written (RFC 3834, and what is common besides it).
func machineOf(h textproto.MIMEHeader, l Letter, own []string) Machine {
	auto := strings.ToLower(strings.TrimSpace(strings.SplitN(h.Get("Auto-Submitted"), ";", 2)[0]))
	kind := strings.ToLower(h.Get("Content-Type"))
	local, _, _ := strings.Cut(l.From, "@")
	_, fromUs := ownID(l.ID)
	switch {
	case slices.Contains(own, l.From) || fromUs:
		return Ourselves
	case strings.HasPrefix(kind, "multipart/report"), local == "mailer-daemon", local == "postmaster", strings.TrimSpace(h.Get("Return-Path")) == "<>" && len(l.Refs) == 0:
		return Bounce
	case auto != "" && auto != "no", h.Get("X-Autoreply") != "", h.Get("X-Autorespond") != "", autoSubject(l.Subject):
		return AutoReply
	case strings.TrimSpace(h.Get("Return-Path")) == "<>":
		return AutoReply
	}
	switch strings.ToLower(strings.TrimSpace(h.Get("Precedence"))) {
	case "auto_reply":
		return AutoReply
	case "bulk", "junk", "list":
		return Bulk
	}
	if h.Get("List-Id") != "" || h.Get("List-Unsubscribe") != "" {
		return Bulk
	}
	return Person
}

func autoSubject(s string) bool {
	s = strings.ToLower(s)
	for _, p := range []string{"自动回复", "自动答复", "auto reply", "autoreply", "automatic reply", "out of office"} {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// report reads what a post office says about a letter of ours (RFC 3464), or finds our id in one that follows no form.
func (w *walker) report(raw []byte) {
	l := w.l
	if l.Machine != Bounce {
		return
	}
	for block := range bytes.SplitSeq(bytes.ReplaceAll(w.status, []byte("\r\n"), []byte("\n")), []byte("\n\n")) {
		h, _ := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(block, "\n\n"...)))).ReadMIMEHeader() // what could be read counts
		if a := strings.ToLower(strings.TrimSpace(h.Get("Action"))); a != "" {
			l.Failed.Action, l.Failed.Status = line(a), line(h.Get("Status"))
			break
		}
	}
	h, _ := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(w.original, "\r\n\r\n"...)))).ReadMIMEHeader() // what could be read counts
	for _, id := range append([]string{firstID(h.Get("Message-Id"))}, l.Refs...) {
		if _, ok := ownID(id); ok {
			l.Failed.ID = id
			break
		}
	}
	if l.Failed.ID == "" {
		l.Failed.ID = string(oursAnywhere.Find(raw[:min(len(raw), headBytes)]))
	}
	if l.Failed.Action == "" && l.Failed.ID != "" {
		l.Failed.Action = "failed" // a post office that follows no form writes for one reason only
	}
}

// forged reports whether the mailbox's own server found that a letter does not come from where it says (RFC 8601). Only
// the topmost result of the server that is named counts: anything below it may have been written by the sender.
func forged(h textproto.MIMEHeader, server string) bool {
	if server == "" {
		return false
	}
	for _, v := range h["Authentication-Results"] {
		id, result, _ := strings.Cut(strings.ToLower(v), ";")
		if strings.TrimSpace(id) != strings.ToLower(server) {
			continue
		}
		has := func(s string) bool { return strings.Contains(strings.Join(strings.Fields(result), " "), s) }
		return has("dmarc=fail") || !has("dmarc=pass") && has("spf=fail") && !has("dkim=pass")
	}
	return false
}
