using System.Buffers.Binary;

namespace Weft.Registry.Pause;

/// <summary>
/// The program of the pause container, which holds a pod's namespaces: it waits for signals, reaps children that were left to it (it may be process 1 of
/// the whole pod), and ends on SIGTERM and SIGINT. Written in machine code, since a compiler is not everywhere and 20 instructions need none.
///
/// It blocks the signals and takes them with rt_sigtimedwait. That works as process 1 too: the kernel drops signals without a handler for process 1,
/// but never a blocked one. No handler, no stack of its own, no memory.
/// </summary>
public static class PauseProgram
{
    private const ulong Base = 0x400000;

    // Signals are counted from bit 0: SIGINT (2), SIGTERM (15), SIGCHLD (17) on both architectures (signal(7)).
    private const uint Signals = 1u << 1 | 1u << 14 | 1u << 16;

    /// <summary>The ELF file for an architecture by its OCI name.</summary>
    public static byte[] For(string architecture) => architecture switch
    {
        "amd64" => Elf(Amd64, machine: 62, page: 0x1000), // EM_X86_64
        "arm64" => Elf(Arm64(), machine: 183, page: 0x10000), // EM_AARCH64; its pages may have 64 KiB
        _ => throw new ArgumentException($"there is no pause program for {architecture}", nameof(architecture)),
    };

    public static IReadOnlyList<string> Architectures { get; } = ["amd64", "arm64"];

    // System calls: number in rax, arguments in rdi, rsi, rdx, r10; rcx and r11 are lost (syscall(2)).
    private static ReadOnlySpan<byte> Amd64 =>
    [
        // start:
        0x68, 0x02, 0x40, 0x01, 0x00, // push 0x14002           the set of signals, on the stack
        0x48, 0x89, 0xE6,             // mov  rsi, rsp          set
        0x31, 0xFF,                   // xor  edi, edi          SIG_BLOCK
        0x31, 0xD2,                   // xor  edx, edx          no old set
        0x6A, 0x08,                   // push 8
        0x41, 0x5A,                   // pop  r10               size of a set
        0x6A, 0x0E,                   // push 14
        0x58,                         // pop  rax               rt_sigprocmask
        0x0F, 0x05,                   // syscall
        // wait:                                                (offset 21)
        0x48, 0x89, 0xE7,             // mov  rdi, rsp          set
        0x31, 0xF6,                   // xor  esi, esi          no details
        0x31, 0xD2,                   // xor  edx, edx          no end of patience
        0x6A, 0x08,                   // push 8
        0x41, 0x5A,                   // pop  r10
        0xB8, 0x80, 0x00, 0x00, 0x00, // mov  eax, 128          rt_sigtimedwait
        0x0F, 0x05,                   // syscall
        0x83, 0xF8, 0x02,             // cmp  eax, 2            SIGINT
        0x74, 0x1B,                   // je   end
        0x83, 0xF8, 0x0F,             // cmp  eax, 15           SIGTERM
        0x74, 0x16,                   // je   end
        // reap:                                                (offset 49; also after an interrupted wait, where it does no harm)
        0x6A, 0xFF,                   // push -1
        0x5F,                         // pop  rdi               any child
        0x31, 0xF6,                   // xor  esi, esi          no status
        0x6A, 0x01,                   // push 1
        0x5A,                         // pop  rdx               WNOHANG
        0x45, 0x31, 0xD2,             // xor  r10d, r10d        no usage
        0x6A, 0x3D,                   // push 61
        0x58,                         // pop  rax               wait4
        0x0F, 0x05,                   // syscall
        0x85, 0xC0,                   // test eax, eax
        0x7F, 0xEC,                   // jg   reap              there may be one more
        0xEB, 0xCE,                   // jmp  wait
        // end:                                                 (offset 71)
        0x31, 0xFF,                   // xor  edi, edi
        0x6A, 0x3C,                   // push 60
        0x58,                         // pop  rax               exit
        0x0F, 0x05,                   // syscall
    ];

    // System calls: number in x8, arguments in x0 to x3 (syscall(2)); numbers from asm-generic/unistd.h.
    private static byte[] Arm64()
    {
        ReadOnlySpan<uint> words =
        [
            Move(9, Signals & 0xFFFF),      //  0 movz x9, #0x4002
            0xF2A00000 | 1u << 5 | 9,       //  1 movk x9, #1, lsl 16
            0xF81F0FE9,                     //  2 str  x9, [sp, #-16]!   the set of signals, on the stack
            Move(0, 0),                     //  3                        SIG_BLOCK
            0x910003E1,                     //  4 mov  x1, sp            set
            Move(2, 0),                     //  5                        no old set
            Move(3, 8),                     //  6                        size of a set
            Move(8, 135),                   //  7                        rt_sigprocmask
            SystemCall,                     //  8
            // wait:
            0x910003E0,                     //  9 mov  x0, sp            set
            Move(1, 0),                     // 10                        no details
            Move(2, 0),                     // 11                        no end of patience
            Move(3, 8),                     // 12
            Move(8, 137),                   // 13                        rt_sigtimedwait
            SystemCall,                     // 14
            0x7100001F | 2u << 10,          // 15 cmp  w0, #2            SIGINT
            Branch(Equal, 16, 29),          // 16 b.eq end
            0x7100001F | 15u << 10,         // 17 cmp  w0, #15           SIGTERM
            Branch(Equal, 18, 29),          // 18 b.eq end
            // reap:
            0x92800000,                     // 19 movn x0, #0            any child (-1)
            Move(1, 0),                     // 20                        no status
            Move(2, 1),                     // 21                        WNOHANG
            Move(3, 0),                     // 22                        no usage
            Move(8, 260),                   // 23                        wait4
            SystemCall,                     // 24
            0x7100001F,                     // 25 cmp  w0, #0
            Branch(Greater, 26, 19),        // 26 b.gt reap
            0x14000000 | ((9 - 27) & 0x3FFFFFF), // 27 b wait
            0xD503201F,                     // 28 nop
            // end:
            Move(0, 0),                     // 29
            Move(8, 93),                    // 30                        exit
            SystemCall,                     // 31
        ];
        var code = new byte[words.Length * 4];
        for (var i = 0; i < words.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(code.AsSpan(i * 4), words[i]);
        return code;
    }

    private const uint SystemCall = 0xD4000001; // svc #0
    private const uint Equal = 0;
    private const uint Greater = 12;

    // movz xN, #value
    private static uint Move(uint register, uint value) => 0xD2800000 | value << 5 | register;

    // b.COND, the distance counted in instructions
    private static uint Branch(uint condition, int from, int to) => 0x54000000 | ((uint)(to - from) & 0x7FFFF) << 5 | condition;

    // An ELF64 file (elf(5)): header, two program headers, code. One loadable segment, readable and executable; a stack that is neither executable.
    private static byte[] Elf(ReadOnlySpan<byte> code, ushort machine, ulong page)
    {
        const int header = 64;
        const int program = 56;
        var entry = header + 2 * program;
        var file = new byte[entry + code.Length];
        var span = file.AsSpan();
        ReadOnlySpan<byte> magic = [0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1]; // 64 bits, little-endian, version 1
        magic.CopyTo(span);
        BinaryPrimitives.WriteUInt16LittleEndian(span[16..], 2); // an executable at fixed addresses
        BinaryPrimitives.WriteUInt16LittleEndian(span[18..], machine);
        BinaryPrimitives.WriteUInt32LittleEndian(span[20..], 1);
        BinaryPrimitives.WriteUInt64LittleEndian(span[24..], Base + (ulong)entry);
        BinaryPrimitives.WriteUInt64LittleEndian(span[32..], header); // where the program headers begin
        BinaryPrimitives.WriteUInt16LittleEndian(span[52..], header);
        BinaryPrimitives.WriteUInt16LittleEndian(span[54..], program);
        BinaryPrimitives.WriteUInt16LittleEndian(span[56..], 2);
        BinaryPrimitives.WriteUInt16LittleEndian(span[58..], 64); // size of section headers, of which there are none

        Segment(span[header..], type: 1, flags: 5, Base, (ulong)file.Length, page); // PT_LOAD, read and execute
        Segment(span[(header + program)..], type: 0x6474E551, flags: 6, 0, 0, 16); // PT_GNU_STACK, read and write
        code.CopyTo(span[entry..]);
        return file;
    }

    private static void Segment(Span<byte> at, uint type, uint flags, ulong address, ulong size, ulong align)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(at, type);
        BinaryPrimitives.WriteUInt32LittleEndian(at[4..], flags);
        BinaryPrimitives.WriteUInt64LittleEndian(at[16..], address);
        BinaryPrimitives.WriteUInt64LittleEndian(at[24..], address);
        BinaryPrimitives.WriteUInt64LittleEndian(at[32..], size);
        BinaryPrimitives.WriteUInt64LittleEndian(at[40..], size);
        BinaryPrimitives.WriteUInt64LittleEndian(at[48..], align);
    }
}
