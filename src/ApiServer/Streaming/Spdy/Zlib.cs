using System.Runtime.InteropServices;

namespace Weft.ApiServer.Streaming.Spdy;

/// <summary>The part of the system's zlib that .NET does not offer: streams with a preset dictionary.</summary>
internal static unsafe partial class Zlib
{
    public const int Ok = 0;
    public const int NeedDictionary = 2;
    public const int BufferError = -5;
    public const int SyncFlush = 2;

    private const string Library = "libz.so.1";

    /// <summary>z_stream of zlib.h; its `unsigned long` is as wide as a pointer on Linux.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct State
    {
        public byte* NextIn;
        public uint AvailableIn;
        public nuint TotalIn;
        public byte* NextOut;
        public uint AvailableOut;
        public nuint TotalOut;
        public byte* Message;
        public nint Internal;
        public nint Allocate;
        public nint Free;
        public nint Opaque;
        public int DataType;
        public nuint Adler;
        public nuint Reserved;
    }

    [LibraryImport(Library, EntryPoint = "inflateInit_", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int InflateInit(State* stream, string version, int size);

    [LibraryImport(Library, EntryPoint = "inflateSetDictionary")]
    public static partial int InflateSetDictionary(State* stream, byte* dictionary, uint length);

    [LibraryImport(Library, EntryPoint = "inflate")]
    public static partial int Inflate(State* stream, int flush);

    [LibraryImport(Library, EntryPoint = "inflateEnd")]
    public static partial int InflateEnd(State* stream);

    [LibraryImport(Library, EntryPoint = "deflateInit_", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int DeflateInit(State* stream, int level, string version, int size);

    [LibraryImport(Library, EntryPoint = "deflateSetDictionary")]
    public static partial int DeflateSetDictionary(State* stream, byte* dictionary, uint length);

    [LibraryImport(Library, EntryPoint = "deflate")]
    public static partial int Deflate(State* stream, int flush);

    [LibraryImport(Library, EntryPoint = "deflateEnd")]
    public static partial int DeflateEnd(State* stream);

    /// <summary>zlib compares only the first character of the version and the size of the struct.</summary>
    public const string Version = "1.2.11";
}

/// <summary>An inflate or deflate stream; its memory and zlib's go with the handle.</summary>
internal sealed unsafe class ZlibHandle : SafeHandle
{
    private readonly bool _inflates;

    private ZlibHandle(bool inflates) : base(0, ownsHandle: true)
    {
        _inflates = inflates;
        var state = (Zlib.State*)NativeMemory.AllocZeroed((nuint)sizeof(Zlib.State));
        SetHandle((nint)state);
        // Level 1: header blocks are some hundred bytes, and the dictionary does most of the work.
        var result = inflates
            ? Zlib.InflateInit(state, Zlib.Version, sizeof(Zlib.State))
            : Zlib.DeflateInit(state, 1, Zlib.Version, sizeof(Zlib.State));
        if (result != Zlib.Ok)
            throw new InvalidOperationException($"zlib could not start a stream (code {result}); is zlib1g installed?");
    }

    public static ZlibHandle ForInflate() => new(inflates: true);

    public static ZlibHandle ForDeflate() => new(inflates: false);

    public override bool IsInvalid => handle == 0;

    public Zlib.State* Stream => IsClosed ? throw new ObjectDisposedException(nameof(ZlibHandle)) : (Zlib.State*)handle;

    protected override bool ReleaseHandle()
    {
        var state = (Zlib.State*)handle;
        _ = _inflates ? Zlib.InflateEnd(state) : Zlib.DeflateEnd(state);
        NativeMemory.Free(state);
        return true;
    }
}
