//! Which memory is a thread's own.

use libc::{c_int, c_void, dl_phdr_info};
use std::{mem, slice};

/// Whether the address lies in this thread's thread-locals, of the program or of a library.
pub fn in_thread_locals(address: usize) -> bool {
    let mut address = address;
    // SAFETY: the callback has the type that is asked for, and the address outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut address).cast()) != 0 }
}

/// Looks at the thread-locals of one object (dl_iterate_phdr(3)).
unsafe extern "C" fn look(info: *mut dl_phdr_info, size: usize, wanted: *mut c_void) -> c_int {
    if size < mem::size_of::<dl_phdr_info>() {
        return 0; // A loader from before thread-locals were described.
    }
    // SAFETY: the loader gives a valid description with `dlpi_phnum` headers, and `wanted` is the
    // address that `in_thread_locals` passes.
    let (info, headers, wanted) = unsafe {
        let info = &*info;
        let headers = slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into());
        (info, headers, *wanted.cast::<usize>())
    };
    let start = info.dlpi_tls_data.addr();
    let within = |size: usize| start != 0 && (start..start + size).contains(&wanted);
    headers
        .iter()
        .any(|header| header.p_type == libc::PT_TLS && within(header.p_memsz as usize))
        .into()
}
