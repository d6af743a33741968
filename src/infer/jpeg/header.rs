//! What stands before the entropy-coded data (T.81, annex B).

use std::rc::Rc;

use image::metadata::Orientation;

use super::huffman::Table;

/// What the scan needs to know.
pub struct Header {
    /// Pixels from left to right, 1 or more.
    pub width: u32,
    /// Pixels from top to bottom, 1 or more.
    pub height: u32,
    /// How the picture is to be turned.
    pub orientation: Orientation,
    /// One (grey) or three (brightness and two colour differences).
    pub(super) components: Vec<Component>,
    /// MCUs between two restart markers; 0: none.
    pub(super) restart: u32,
    /// Where the entropy-coded data begins.
    pub scan: usize,
}

/// A colour component.
pub(super) struct Component {
    /// Blocks of it in an MCU, across and down: 1, 2 or 4.
    pub(super) blocks: (u32, u32),
    /// Quantisation steps in zigzag order.
    pub(super) steps: [u16; 64],
    /// Codes of the blocks' means.
    pub(super) dc: Rc<Table>,
    /// Codes of the other frequencies.
    pub(super) ac: Rc<Table>,
}

/// The frame header (B.2.2).
struct Frame {
    width: u32,
    height: u32,
    components: Vec<Framed>,
}

/// A component in the frame header.
struct Framed {
    id: u8,
    /// Sampling factors, across and down.
    blocks: (u32, u32),
    /// Number of the quantisation table.
    steps: usize,
}

/// `None` unless it is a JPEG that the scan can decode.
pub(super) fn parse(bytes: &[u8]) -> Option<Header> {
    let mut steps: [Option<[u16; 64]>; 4] = [None; 4];
    let mut codes: [[Option<&[u8]>; 4]; 2] = [[None; 4]; 2];
    let (mut frame, mut restart, mut orientation) = (None, 0, Orientation::NoTransforms);
    let mut at = 2;
    if bytes.get(..2)? != [0xff, 0xd8] {
        return None;
    }
    loop {
        // Fill bytes may stand before a marker.
        while bytes.get(at..at + 2)? == [0xff, 0xff] {
            at += 1;
        }
        let [0xff, marker, high, low] = *bytes.get(at..at + 4)? else { return None };
        let end = at + 2 + usize::from(u16::from_be_bytes([high, low]));
        let segment = bytes.get(at + 4..end)?;
        match marker {
            0xc0 | 0xc1 if frame.is_none() => frame = Some(frame_of(segment)?),
            0xc4 => keep_codes(segment, &mut codes)?,
            // Every other frame: progressive, lossless, arithmetic.
            0xc0..=0xcf => return None,
            0xdb => keep_steps(segment, &mut steps)?,
            0xdd => restart = u32::from(u16::from_be_bytes(*segment.first_chunk()?)),
            0xe1 if segment.starts_with(b"Exif\0\0") => {
                orientation = Orientation::from_exif_chunk(&segment[6..]).unwrap_or(Orientation::NoTransforms);
            }
            // Adobe's segment says how colours are transformed: 1 is as usual.
            0xee if segment.starts_with(b"Adobe") && segment.get(11) != Some(&1) => return None,
            0xda => {
                let frame = frame?;
                let components = components(segment, &frame, &steps, &codes)?;
                let (width, height) = (frame.width, frame.height);
                return Some(Header { width, height, orientation, components, restart, scan: end });
            }
            0xe0..=0xef | 0xfe => {}
            _ => return None,
        }
        at = end;
    }
}

/// B.2.2.
fn frame_of(segment: &[u8]) -> Option<Frame> {
    let (&[precision, h1, h0, w1, w0, count], rest) = segment.split_first_chunk()?;
    let (width, height) = (u32::from(u16::from_be_bytes([w1, w0])), u32::from(u16::from_be_bytes([h1, h0])));
    if precision != 8 || width == 0 || height == 0 || rest.len() != 3 * usize::from(count) {
        return None;
    }
    let framed = |&[id, factors, steps]: &[u8; 3]| {
        let blocks = (u32::from(factors >> 4), u32::from(factors & 15));
        Framed { id, blocks, steps: usize::from(steps) }
    };
    let components: Vec<Framed> = rest.as_chunks::<3>().0.iter().map(framed).collect();
    let usual = |(h, v)| matches!(h, 1 | 2 | 4) && matches!(v, 1 | 2 | 4);
    // Without colour transform, Adobe's programs name the components so.
    let is_rgb = components.iter().map(|component| component.id).eq(*b"RGB");
    let fits = matches!(count, 1 | 3) && components.iter().all(|component| usual(component.blocks)) && !is_rgb;
    fits.then_some(Frame { width, height, components })
}

/// B.2.4.1.
fn keep_steps(mut segment: &[u8], tables: &mut [Option<[u16; 64]>; 4]) -> Option<()> {
    while let Some((&first, rest)) = segment.split_first() {
        let table = tables.get_mut(usize::from(first & 15))?;
        let width = match first >> 4 {
            0 => 1,
            1 => 2,
            _ => return None,
        };
        let (values, rest) = rest.split_at_checked(64 * width)?;
        let value = |pair: &[u8]| pair.iter().fold(0, |value, byte| value << 8 | u16::from(*byte));
        let mut steps = [0; 64];
        for (step, bytes) in steps.iter_mut().zip(values.chunks_exact(width)) {
            *step = value(bytes);
        }
        *table = Some(steps);
        segment = rest;
    }
    Some(())
}

/// B.2.4.2; the tables are made when it is known which are used.
fn keep_codes<'a>(mut segment: &'a [u8], tables: &mut [[Option<&'a [u8]>; 4]; 2]) -> Option<()> {
    while let Some((&first, rest)) = segment.split_first() {
        let table = tables.get_mut(usize::from(first >> 4))?.get_mut(usize::from(first & 15))?;
        let count: usize = rest.get(..16)?.iter().map(|count| usize::from(*count)).sum();
        let (codes, rest) = rest.split_at_checked(16 + count)?;
        *table = Some(codes);
        segment = rest;
    }
    Some(())
}

/// B.2.3: one scan with all components.
fn components(
    segment: &[u8],
    frame: &Frame,
    steps: &[Option<[u16; 64]>; 4],
    codes: &[[Option<&[u8]>; 4]; 2],
) -> Option<Vec<Component>> {
    let count = frame.components.len();
    let (&[said], rest) = segment.split_first_chunk()?;
    let (selectors, spectrum) = rest.split_at_checked(2 * count)?;
    if usize::from(said) != count || spectrum != [0, 63, 0] {
        return None;
    }
    // Components share tables, which take a while to make.
    let mut made: Vec<((usize, u8), Rc<Table>)> = Vec::new();
    let mut table_of = |class: usize, number: u8| {
        if let Some((_, table)) = made.iter().find(|(key, _)| *key == (class, number)) {
            return Some(table.clone());
        }
        let codes = (*codes[class].get(usize::from(number))?)?;
        let table = Rc::new(if class == 0 { Table::dc(codes)? } else { Table::new(codes)? });
        made.push(((class, number), table.clone()));
        Some(table)
    };
    let component = |(framed, &[id, used]): (&Framed, &[u8; 2])| {
        (framed.id == id).then_some(())?;
        Some(Component {
            // A lone component's blocks are not interleaved (A.2.2).
            blocks: if count == 1 { (1, 1) } else { framed.blocks },
            steps: (*steps.get(framed.steps)?)?,
            dc: table_of(0, used >> 4)?,
            ac: table_of(1, used & 15)?,
        })
    };
    frame.components.iter().zip(selectors.as_chunks::<2>().0).map(component).collect()
}
