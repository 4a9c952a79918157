/* Wine 8 has no bcryptprimitives.dll, which Rust takes its random numbers from. This stands in for
   it in the tests: the one function, by the system's other source of them. */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) {
    return RtlGenRandom(data, (ULONG)size);
}
