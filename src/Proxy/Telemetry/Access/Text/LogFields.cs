using System.Buffers.Binary;
using Weft.Proxy.Http;

namespace Weft.Proxy.Telemetry.Access.Text;

/// <summary>Fields of requests and responses that a log's template names and that are in no record: captured for it alone. A field is known by its number.</summary>
internal sealed class LogFields
{
    /// <summary>Of one value; what is longer is cut.</summary>
    public const int MaxValue = 256;

    /// <summary>Of all of a request together; what has no room is left out.</summary>
    public const int MaxBytes = 2048;

    private const int Prefix = 3;
    private readonly List<(byte[] Name, bool Response)> _fields = [];

    public bool IsEmpty => _fields.Count == 0;

    public int Add(byte[] name, bool response)
    {
        var known = _fields.FindIndex(field => field.Response == response && field.Name.AsSpan().SequenceEqual(name));
        if (known >= 0)
            return known;
        if (_fields.Count > byte.MaxValue)
            throw new ArgumentException($"a template names {byte.MaxValue} fields at most");
        _fields.Add((name, response));
        return _fields.Count - 1;
    }

    /// <summary>Appends what is there, as number, length and bytes.</summary>
    /// <returns>How much of <paramref name="to"/> is used.</returns>
    public int Capture(HeaderList headers, bool response, Span<byte> to, int used)
    {
        for (var i = 0; i < _fields.Count; i++)
        {
            if (_fields[i].Response != response || headers.IndexOf(_fields[i].Name) is not (var at and >= 0))
                continue;
            var value = headers.Value(at);
            value = value[..Math.Min(value.Length, MaxValue)];
            if (used + Prefix + value.Length > to.Length)
                return used;
            to[used] = (byte)i;
            BinaryPrimitives.WriteUInt16LittleEndian(to[(used + 1)..], (ushort)value.Length);
            value.CopyTo(to[(used + Prefix)..]);
            used += Prefix + value.Length;
        }

        return used;
    }

    /// <summary>Empty: it was not there.</summary>
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> captured, int number)
    {
        while (captured.Length >= Prefix)
        {
            var length = BinaryPrimitives.ReadUInt16LittleEndian(captured[1..]);
            if (captured[0] == number)
                return captured.Slice(Prefix, length);
            captured = captured[(Prefix + length)..];
        }

        return default;
    }
}
