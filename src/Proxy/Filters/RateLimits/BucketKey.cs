using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Http;

namespace Weft.Proxy.Filters.RateLimits;

/// <summary>Compiled <see cref="LimitKey"/>s: the bytes that requests share a bucket by.</summary>
internal sealed class BucketKey(IEnumerable<LimitKey> keys)
{
    // Longer ones are kept as their digest, so that a table of keys has a bound in bytes, too.
    private const int Longest = 128;

    private readonly (LimitKey Key, byte[] Name)[] _parts = [.. keys.Select(k => (k, k is HeaderKey header ? Encoding.ASCII.GetBytes(header.Name.ToLowerInvariant()) : []))];

    /// <summary>Into the context's buffer.</summary>
    public ReadOnlySpan<byte> Write(ExchangeContext context)
    {
        var buffer = context.Buffer;
        buffer.ResetWrittenCount();
        foreach (var (key, name) in _parts)
        {
            switch (key)
            {
                case AddressKey:
                    var address = buffer.GetSpan(16);
                    context.Facts.ClientAddress.TryWriteBytes(address, out var length);
                    buffer.Advance(length);
                    break;
                case IdentityKey:
                    var identity = context.Identity?.Principal ?? context.Connection.Identity ?? "";
                    Encoding.UTF8.GetBytes(identity, buffer);
                    break;
                case HeaderKey:
                    for (var i = context.Request.Headers.IndexOf(name); i >= 0; i = context.Request.Headers.IndexOf(name, i + 1))
                        Append(buffer, context.Request.Headers.Value(i));
                    break;
                default:
                    Append(buffer, context.Facts.Path.Path);
                    break;
            }

            // Where a part ends: `ab` and `c` are not `a` and `bc`.
            BinaryPrimitives.WriteInt32LittleEndian(buffer.GetSpan(4), buffer.WrittenCount);
            buffer.Advance(4);
        }

        if (buffer.WrittenCount <= Longest)
            return buffer.WrittenSpan;
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(buffer.WrittenSpan, digest);
        buffer.ResetWrittenCount();
        buffer.Write(digest);
        return buffer.WrittenSpan;
    }

    private static void Append(ArrayBufferWriter<byte> buffer, ReadOnlySpan<byte> value)
    {
        buffer.Write(value);
        buffer.Write([(byte)0]);
    }
}
