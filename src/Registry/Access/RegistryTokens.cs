using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;

namespace Weft.Registry.Access;

/// <summary>Short-lived tokens for clients that follow the Bearer challenge: when they end, what they allow, and a seal with a key of this process.</summary>
internal sealed class RegistryTokens(TimeProvider time)
{
    internal static readonly TimeSpan Life = TimeSpan.FromMinutes(30);

    private const int BodyBytes = 9;
    private const int SealBytes = 32;
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

    internal string Issue(RegistryRights rights)
    {
        var token = new byte[BodyBytes + SealBytes];
        BinaryPrimitives.WriteInt64BigEndian(token, (time.GetUtcNow() + Life).ToUnixTimeSeconds());
        token[8] = (byte)rights;
        HMACSHA256.HashData(_key, token.AsSpan(0, BodyBytes), token.AsSpan(BodyBytes));
        return Base64Url.EncodeToString(token);
    }

    /// <summary>Null: not one of ours, or it has ended.</summary>
    internal RegistryRights? Read(string text)
    {
        var token = new byte[BodyBytes + SealBytes];
        if (text.Length != Base64Url.GetEncodedLength(token.Length) || !Base64Url.TryDecodeFromChars(text, token, out var length) || length != token.Length)
            return null;
        var seal = HMACSHA256.HashData(_key, token.AsSpan(0, BodyBytes));
        if (!CryptographicOperations.FixedTimeEquals(seal, token.AsSpan(BodyBytes)))
            return null;
        return time.GetUtcNow().ToUnixTimeSeconds() < BinaryPrimitives.ReadInt64BigEndian(token) ? (RegistryRights)token[8] : null;
    }
}
