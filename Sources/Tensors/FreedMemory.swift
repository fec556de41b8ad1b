import CKernels

/// Keeps up to `bytes` of freed memory in this process, where its C library is glibc, instead of
/// giving it back to the system at once.
///
/// A forward pass frees megabytes in every layer and asks for them again in the next: getting each
/// page anew from the system, cleared, was a quarter of the time of a prompt. A program calls this
/// once at its start.
package func keepFreedMemory(bytes: Int) {
    martlet_keep_freed_memory(bytes)
}
