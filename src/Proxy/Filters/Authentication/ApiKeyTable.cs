using System.Security.Cryptography;
using System.Text;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Filters.Authentication;

/// <summary>Keys by their SHA-256. Keys are long and random, so a fast digest is enough; the table read by a stranger opens nothing.</summary>
internal sealed class ApiKeyTable
{
    private readonly (NamedClient Client, byte[] Digest)[] _keys;

    /// <param name="lines">`client:sha256`; empty lines and those with `#` are passed over.</param>
    /// <exception cref="ArgumentException">A line or key is none; the message shows nothing of it.</exception>
    public ApiKeyTable(IEnumerable<ApiKey> keys, string lines) => _keys = [.. keys.Concat(CredentialLines.Read(lines, (client, digest) => new ApiKey(client, digest))).Select(Entry)];

    /// <summary>Null: nobody has this key. All are compared, each in constant time: how long it takes says nothing of which was near.</summary>
    public NamedClient? Find(string key)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.Latin1.GetBytes(key), digest);
        NamedClient? found = null;
        foreach (var (client, own) in _keys)
        {
            if (CryptographicOperations.FixedTimeEquals(digest, own))
                found = client;
        }

        return found;
    }

    private static (NamedClient Client, byte[] Digest) Entry(ApiKey key)
    {
        if (!NamedClient.IsName(key.Client))
            throw new ArgumentException("the name of a client is of visible ASCII without a colon");
        if (key.Sha256.Length != 64 || !key.Sha256.All(char.IsAsciiHexDigit))
            throw new ArgumentException($"what '{key.Client}' has is no SHA-256 in hexadecimal; `printf %s KEY | sha256sum` makes it");
        return (new(key.Client), Convert.FromHexString(key.Sha256));
    }
}
