//! An illegal history as text: clients side by side, time downwards, and what was tried.

use crate::{Call, End, History, Illegal, Model, events::Piece};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt::{Debug, Write};

/// More than so many lines are not drawn; the last ones say most.
const LINES: usize = 40;
/// A text longer than so many characters is cut.
const WIDTH: usize = 48;

/// All that is to be said about the illegal prefix that the pieces make up.
pub(crate) fn report<M: Model>(
    model: &M,
    history: &History<M::Op, M::Ret>,
    pieces: &[Piece<'_, M::Op, M::Ret>],
    order: &[(usize, M::State)],
    illegal: &Illegal,
    stale: bool,
) -> String {
    let calls = history.calls();
    let guilty = &calls[illegal.call.0];
    let mut out = format!(
        "not linearizable: no order of the calls explains {} of {}\n",
        answered(calls, pieces.iter().find(|piece| piece.id == illegal.call.0)),
        guilty.client
    );
    let how = if illegal.shortest { "the shortest" } else { "an" };
    let _ = writeln!(out, "(the first {} events are {how} illegal prefix)", illegal.events);
    if stale {
        out += "(it is sequentially consistent: stale, but each client alone sees nothing wrong)\n";
    }
    out.push('\n');
    out += &timeline(calls, pieces, illegal.events);

    out += "\nthe longest order that fits, and the state after each call:\n";
    let skipped = order.len().saturating_sub(LINES);
    match skipped {
        0 => _ = writeln!(out, "  {}", short(&model.start())),
        _ => _ = writeln!(out, "  … {skipped} calls before"),
    }
    let lines =
        order[skipped..].iter().map(|(call, state)| (answered(calls, pieces.get(*call)), state));
    let lines: Vec<_> = lines.collect();
    let width = lines.iter().map(|(call, _)| chars(call)).max().unwrap_or(0);
    for (call, state) in lines {
        let _ = writeln!(out, "  {}  {}", padded(&call, width), short(state));
    }
    out += "then, of the calls that could be next:\n";
    out += &next(model, calls, pieces, order);
    out
}

/// What each call that could come after the order met.
fn next<M: Model>(
    model: &M,
    calls: &[Call<M::Op, M::Ret>],
    pieces: &[Piece<'_, M::Op, M::Ret>],
    order: &[(usize, M::State)],
) -> String {
    let state = order.last().map_or(model.start(), |(_, state)| state.clone());
    let mut placed: Vec<usize> = order.iter().map(|(call, _)| *call).collect();
    placed.sort_unstable();
    let rest = || {
        let free = |(at, _): &(usize, _)| placed.binary_search(at).is_err();
        pieces.iter().enumerate().filter(free).map(|(_, piece)| piece)
    };
    let first = rest().filter_map(|piece| piece.returned).map(|(place, _)| place).min();
    let mut out = String::new();
    for piece in rest().filter(|piece| first.is_none_or(|first| piece.invoked < first)) {
        let said = match piece.returned {
            None => "may have taken effect or not; neither helps".to_string(),
            Some((_, ret)) if model.step(&state, piece.op, ret).is_none() => {
                format!("cannot answer this in state {}", short(&state))
            }
            Some(_) => "fits here, but then the others do not".to_string(),
        };
        let _ = writeln!(out, "  {}: {said}", answered(calls, Some(piece)));
    }
    out
}

/// The call and its answer.
fn answered<Op: Debug, Ret: Debug>(
    calls: &[Call<Op, Ret>],
    piece: Option<&Piece<'_, Op, Ret>>,
) -> String {
    match piece {
        Some(Piece { id, op, returned: Some((_, ret)), .. }) => {
            format!("#{id} {} → {}", short(op), short(ret))
        }
        Some(Piece { id, op, .. }) => format!("#{id} {} → {}", short(op), missing(&calls[*id])),
        None => String::new(),
    }
}

/// What is to be said of an answer that the prefix does not have.
fn missing<Op, Ret>(call: &Call<Op, Ret>) -> &'static str {
    match call.end {
        End::Returned(..) => "no answer yet",
        End::Open | End::Never(_) => "no answer",
    }
}

/// A column: the calls of a client, one at a time.
struct Lane<'a> {
    client: &'a str,
    /// The piece that is open in it.
    open: Option<usize>,
    width: usize,
}

/// A line of the table: what happened in which lane, and which other lanes had a call open.
struct Line {
    time: String,
    lane: usize,
    text: String,
    open: Vec<bool>,
}

/// Clients side by side, time downwards.
fn timeline<Op: Debug, Ret: Debug>(
    calls: &[Call<Op, Ret>],
    pieces: &[Piece<'_, Op, Ret>],
    end: usize,
) -> String {
    let mut events = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        events.push((piece.invoked, at, false));
        events.extend(piece.returned.map(|(place, _)| (place, at, true)));
    }
    events.sort_unstable();
    let mut lanes = Vec::new();
    let mut lines = Vec::new();
    for (place, at, response) in &events {
        let piece = &pieces[*at];
        let call = &calls[piece.id];
        let mut line = match response {
            false => {
                let lane = lane_for(&mut lanes, pieces, &call.client);
                lanes[lane].open = Some(*at);
                let mut text = format!("┌ #{} {}", piece.id, short(piece.op));
                if piece.returned.is_none() {
                    let _ = write!(text, " … {}", missing(call));
                }
                Line { time: format!("{:?}", call.invoked.time), lane, text, open: Vec::new() }
            }
            true => {
                let lane = lanes.iter().position(|lane| lane.open == Some(*at));
                let lane = lane.expect("a call that returns is open");
                lanes[lane].open = None;
                let mark = if *place + 1 == end { "  ◀ here" } else { "" };
                let ret = piece.returned.map_or(String::new(), |(_, ret)| short(ret));
                let text = format!("└ #{} → {ret}{mark}", piece.id);
                Line { time: time_of(call), lane, text, open: Vec::new() }
            }
        };
        line.open = lanes.iter().map(|lane| lane.open.is_some()).collect();
        lines.push(line);
    }
    table(&mut lanes, &lines)
}

/// A column of the client that is free. Who calls again has given up a call that gets no answer.
fn lane_for<'a, Op, Ret>(
    lanes: &mut Vec<Lane<'a>>,
    pieces: &[Piece<'_, Op, Ret>],
    client: &'a str,
) -> usize {
    let given_up = |at: usize| pieces[at].returned.is_none();
    let free = |lane: &Lane<'_>| lane.client == client && lane.open.is_none_or(given_up);
    lanes.iter().position(free).unwrap_or_else(|| {
        lanes.push(Lane { client, open: None, width: 0 });
        lanes.len() - 1
    })
}

/// The last lines, with those lanes of which there is something to see.
fn table(lanes: &mut [Lane<'_>], lines: &[Line]) -> String {
    let skipped = lines.len().saturating_sub(LINES);
    let lines = &lines[skipped..];
    for line in lines {
        let lane = &mut lanes[line.lane];
        lane.width = lane.width.max(chars(&line.text)).max(chars(lane.client));
    }
    let time = lines.iter().map(|line| chars(&line.time)).max().unwrap_or(0);
    let shown = || lanes.iter().enumerate().filter(|(_, lane)| lane.width > 0);

    let mut out = String::new();
    if skipped > 0 {
        let _ = writeln!(out, "  … {skipped} events before");
    }
    let mut row = format!("  {}", padded("", time));
    for (_, lane) in shown() {
        row = format!("{row}  {}", padded(lane.client, lane.width));
    }
    let _ = writeln!(out, "{}", row.trim_end());
    for line in lines {
        let mut row = format!("  {}", padded(&line.time, time));
        for (at, lane) in shown() {
            let cell = match line.open.get(at) {
                _ if at == line.lane => line.text.as_str(),
                Some(true) => "│",
                _ => "",
            };
            row = format!("{row}  {}", padded(cell, lane.width));
        }
        let _ = writeln!(out, "{}", row.trim_end());
    }
    out
}

fn time_of<Op, Ret>(call: &Call<Op, Ret>) -> String {
    match &call.end {
        End::Returned(event, _) => format!("{:?}", event.time),
        _ => String::new(),
    }
}

/// The value in one line that is not too long.
fn short(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    match text.char_indices().nth(WIDTH) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

fn padded(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(chars(text));
    text.chars().chain(core::iter::repeat_n(' ', missing)).collect()
}

fn chars(text: &str) -> usize {
    text.chars().count()
}
