using System.Security.Cryptography;
using System.Text;

namespace Weft.Proxy.Filters.Authentication;

/// <summary>
/// Users and the digests of their passwords, in the forms that take microseconds: `{SHA}` of `htpasswd -s`, `{SHA256}` (base64 as well), `{PLAIN}`. Those made to be slow (bcrypt and crypt's) would
/// hold up a loop for a tenth of a second with each request, and are refused when the table is read.
/// </summary>
internal sealed class PasswordTable
{
    private static readonly byte[] NoDigest = new byte[SHA256.HashSizeInBytes];
    private readonly Dictionary<string, (NamedClient Client, byte[] Digest)> _users = new(StringComparer.Ordinal);

    /// <exception cref="ArgumentException">A line is none; the message shows no hash.</exception>
    public PasswordTable(string lines)
    {
        foreach (var (name, hash) in CredentialLines.Read(lines, (name, hash) => (name, hash)))
        {
            if (!NamedClient.IsName(name))
                throw new ArgumentException("the name of a user is of visible ASCII without a colon");
            if (!_users.TryAdd(name, (new(name), Digest(name, hash))))
                throw new ArgumentException($"user '{name}' stands twice");
        }
    }

    /// <summary>Null: there is no such user, or the password is another. Both take the same work.</summary>
    public NamedClient? Find(string name, ReadOnlySpan<byte> password)
    {
        Span<byte> digests = stackalloc byte[SHA1.HashSizeInBytes + SHA256.HashSizeInBytes];
        var sha1 = digests[..SHA1.HashSizeInBytes];
        var sha256 = digests[SHA1.HashSizeInBytes..];
        Sha1(password, sha1);
        SHA256.HashData(password, sha256);
        var known = _users.TryGetValue(name, out var user);
        var expected = known ? user.Digest : NoDigest;
        return CryptographicOperations.FixedTimeEquals(expected.Length == sha1.Length ? sha1 : sha256, expected) && known ? user.Client : null;
    }

    private static byte[] Digest(string name, string hash)
    {
        if (hash.StartsWith("{PLAIN}", StringComparison.Ordinal))
            return SHA256.HashData(Encoding.UTF8.GetBytes(hash["{PLAIN}".Length..]));
        var (form, length) = hash.StartsWith("{SHA256}", StringComparison.Ordinal) ? ("{SHA256}", SHA256.HashSizeInBytes) : ("{SHA}", SHA1.HashSizeInBytes);
        if (!hash.StartsWith(form, StringComparison.Ordinal))
            throw new ArgumentException($"the hash of user '{name}' is in no form that can be checked here: {{SHA}} (`htpasswd -s`), {{SHA256}} and {{PLAIN}} can; bcrypt ($2y$), $apr1$ and crypt's cannot");
        var digest = new byte[SHA256.HashSizeInBytes];
        return Convert.TryFromBase64String(hash[form.Length..], digest, out var written) && written == length
            ? digest[..written]
            : throw new ArgumentException($"the hash of user '{name}' is not {form} and {length} bytes in base64");
    }

    // What `htpasswd -s` writes; collisions of SHA-1 do not help to find a password.
#pragma warning disable CA5350
    private static void Sha1(ReadOnlySpan<byte> password, Span<byte> digest) => SHA1.HashData(password, digest);
#pragma warning restore CA5350
}
