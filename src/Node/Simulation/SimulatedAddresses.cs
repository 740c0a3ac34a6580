using System.Buffers.Binary;
using System.Net;

namespace Weft.Node.Simulation;

/// <summary>Addresses for pods that have no network: from the range for benchmarks, which no real network routes (RFC 2544, 198.18.0.0/15).</summary>
internal sealed class SimulatedAddresses
{
    private const uint First = (198u << 24) | (18u << 16);
    private const int Count = 1 << 17;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _given = [];
    private readonly HashSet<int> _taken = [];
    private int _next = 1;

    /// <summary>A pod of before this process keeps what it has.</summary>
    public void Keep(string uid, string address)
    {
        if (!IPAddress.TryParse(address, out var parsed) || parsed.GetAddressBytes() is not { Length: 4 } bytes)
            return;
        var number = (long)BinaryPrimitives.ReadUInt32BigEndian(bytes) - First;
        lock (_gate)
        {
            if (number is > 0 and < Count && !_given.ContainsKey(uid) && _taken.Add((int)number))
                _given[uid] = (int)number;
        }
    }

    /// <summary>The same pod has the same address, whenever it is asked. Null when all are given out.</summary>
    public string? Give(string uid)
    {
        lock (_gate)
        {
            if (!_given.TryGetValue(uid, out var number))
            {
                if (_taken.Count >= Count - 1)
                    return null;
                // The next one, and not one that was just given back: whoever still connects to the old pod must not meet a new one.
                while (!_taken.Add(_next))
                    Advance();
                number = _given[uid] = _next;
                Advance();
            }

            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32BigEndian(bytes, First + (uint)number);
            return new IPAddress(bytes).ToString();
        }
    }

    public void TakeBack(string uid)
    {
        lock (_gate)
        {
            if (_given.Remove(uid, out var number))
                _taken.Remove(number);
        }
    }

    private void Advance() => _next = _next == Count - 1 ? 1 : _next + 1;
}
