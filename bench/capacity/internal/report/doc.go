// Package report shows the figures of a run: a page with plots, and a few lines
// for the terminal.
//
//	figures.Report ─▶ plates (what to show, and how to read it) ─▶ chart ─▶ SVG
//	               ╰▶ tables, caveats, advice                   ─▶ page.html
//
// The plots are gonum's, and their colours the page's: each is drawn in a
// stand-in, which then becomes a CSS variable, so that the same plot is right by
// day and by night.
package report
