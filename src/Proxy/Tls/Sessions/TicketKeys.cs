using System.Collections.Immutable;
using System.Security.Cryptography;

namespace Weft.Proxy.Tls.Sessions;

/// <summary>
/// Keys that session tickets are sealed with: the first seals, all open. Bytes that can be handed to another process, so that tickets outlive a hot restart.
/// Each is 80 bytes: name (16), HMAC-SHA256 (32), AES-256 (32), the order of nginx' and HAProxy's files.
/// </summary>
internal sealed class TicketKeys
{
    public const int KeyLength = 80;
    internal const int NameLength = 16;
    internal const int SecretLength = 32;

    private readonly ImmutableArray<byte[]> _keys;

    private TicketKeys(ImmutableArray<byte[]> keys) => _keys = keys;

    public int Count => _keys.Length;

    internal ReadOnlySpan<byte> this[int index] => _keys[index];

    public static TicketKeys New() => new([RandomNumberGenerator.GetBytes(KeyLength)]);

    /// <returns>Null when it is not one key or several.</returns>
    public static TicketKeys? Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == 0 || bytes.Length % KeyLength != 0)
            return null;
        var keys = ImmutableArray.CreateBuilder<byte[]>(bytes.Length / KeyLength);
        for (; !bytes.IsEmpty; bytes = bytes[KeyLength..])
            keys.Add(bytes[..KeyLength].ToArray());
        return new(keys.MoveToImmutable());
    }

    /// <summary>A new first key. The older ones open what they have sealed until they fall off the end.</summary>
    public TicketKeys Rotate(int keep) => new([RandomNumberGenerator.GetBytes(KeyLength), .. _keys.Take(keep - 1)]);

    public byte[] Export() => [.. _keys.SelectMany(k => k)];

    internal int IndexOf(ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < _keys.Length; i++)
        {
            if (_keys[i].AsSpan(0, NameLength).SequenceEqual(name))
                return i;
        }

        return -1;
    }

    public override string ToString() => $"({Count} ticket keys)";
}

/// <summary>The keys in use, shared by all contexts and loops of a process; changed without a new context.</summary>
internal sealed class TicketKeyRing(TicketKeys initial)
{
    private TicketKeys _current = initial;

    public TicketKeys Current => Volatile.Read(ref _current);

    public void Replace(TicketKeys keys) => Volatile.Write(ref _current, keys);
}
