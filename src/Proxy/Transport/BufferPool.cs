using System.Numerics;

namespace Weft.Proxy.Transport;

/// <summary>
/// Buffers of one event loop, by powers of two from 4 KB to 1 MB. Pinned for life, so that system calls take them as they are; not shared, so without a lock.
/// What is above the limit of idle bytes goes to the collector.
/// </summary>
internal sealed class BufferPool(int maxIdleBytes = 8 << 20)
{
    private const int SmallestBits = 12;
    private const int LargestBits = 20;
    private readonly Stack<byte[]>[] _idle = [.. Enumerable.Range(0, LargestBits - SmallestBits + 1).Select(_ => new Stack<byte[]>())];
    private int _idleBytes;

    /// <summary>Bytes of the buffers that are out: what the connections of the loop hold.</summary>
    public long InUse { get; private set; }

    public byte[] Rent(int minimum)
    {
        var bits = Math.Max(SmallestBits, BitOperations.Log2((uint)Math.Max(minimum, 1) - 1 | 1) + 1);
        InUse += 1L << bits;
        if (bits <= LargestBits && _idle[bits - SmallestBits].TryPop(out var buffer))
        {
            _idleBytes -= buffer.Length;
            return buffer;
        }

        return GC.AllocateUninitializedArray<byte>(1 << bits, pinned: true);
    }

    public void Return(byte[] buffer)
    {
        InUse -= buffer.Length;
        var bits = BitOperations.Log2((uint)buffer.Length);
        if (bits > LargestBits || _idleBytes + buffer.Length > maxIdleBytes)
            return;
        _idleBytes += buffer.Length;
        _idle[bits - SmallestBits].Push(buffer);
    }
}
