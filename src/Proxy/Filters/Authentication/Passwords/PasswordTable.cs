using System.Security.Cryptography;
using System.Text;

namespace Weft.Proxy.Filters.Authentication.Passwords;

/// <summary>What a table says at once.</summary>
/// <param name="Client">Null: nobody, or not known yet.</param>
/// <param name="Check">Is to be asked off the loop, and tells whether it is the user's password; null: there is nothing to ask.</param>
internal readonly record struct PasswordAnswer(NamedClient? Client, Func<bool>? Check);

/// <summary>
/// Users and the hashes of their passwords: `{SHA}` of `htpasswd -s`, `{SHA256}` (base64 as well) and `{PLAIN}`, which take microseconds, and bcrypt of `htpasswd -B`, which does not. Of a bcrypt
/// password that was good once a keyed digest stays in memory, one for each user, so that the next request with it costs microseconds, too.
/// </summary>
internal sealed class PasswordTable
{
    private static readonly byte[] NoDigest = new byte[SHA256.HashSizeInBytes];
    private readonly byte[] _memoryKey = RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes);
    private readonly Dictionary<string, User> _users = new(StringComparer.Ordinal);
    private readonly User? _nobody;

    /// <exception cref="ArgumentException">A line is none; the message shows no hash.</exception>
    public PasswordTable(string lines)
    {
        foreach (var (name, hash) in CredentialLines.Read(lines, (name, hash) => (name, hash)))
        {
            if (!NamedClient.IsName(name))
                throw new ArgumentException("the name of a user is of visible ASCII without a colon");
            if (!_users.TryAdd(name, Read(name, hash)))
                throw new ArgumentException($"user '{name}' stands twice");
        }

        // How long a refusal takes must not say whether there is such a user.
        var cost = _users.Values.Max(user => user.Bcrypt?.Cost);
        _nobody = cost is { } most ? new User(new NamedClient("nobody"), [], BcryptHash.Nobodys(most)) : null;
    }

    public PasswordAnswer Find(string name, ReadOnlySpan<byte> password)
    {
        var known = _users.TryGetValue(name, out var user);
        user ??= _nobody;
        if (user?.Bcrypt is { } hash)
            return Slow(user, hash, password);
        Span<byte> digests = stackalloc byte[SHA1.HashSizeInBytes + SHA256.HashSizeInBytes];
        var sha1 = digests[..SHA1.HashSizeInBytes];
        var sha256 = digests[SHA1.HashSizeInBytes..];
        Sha1(password, sha1);
        SHA256.HashData(password, sha256);
        var expected = known ? user!.Digest : NoDigest;
        return new(CryptographicOperations.FixedTimeEquals(expected.Length == sha1.Length ? sha1 : sha256, expected) && known ? user!.Client : null, null);
    }

    private PasswordAnswer Slow(User user, BcryptHash hash, ReadOnlySpan<byte> password)
    {
        var digest = HMACSHA256.HashData(_memoryKey, password);
        if (user.Verified is { } verified && CryptographicOperations.FixedTimeEquals(digest, verified))
            return new(user.Client, null);
        var copy = password.ToArray();
        return new(user.Client, () =>
        {
            var good = hash.Verify(copy);
            CryptographicOperations.ZeroMemory(copy);
            if (good)
                user.Verified = digest;
            return good;
        });
    }

    private static User Read(string name, string hash)
    {
        if (!BcryptHash.IsOne(hash))
            return new User(new(name), Digest(name, hash), null);
        try
        {
            return new User(new(name), [], BcryptHash.Parse(hash));
        }
        catch (ArgumentException bad)
        {
            throw new ArgumentException($"the hash of user '{name}' {bad.Message}");
        }
    }

    private static byte[] Digest(string name, string hash)
    {
        if (hash.StartsWith("{PLAIN}", StringComparison.Ordinal))
            return SHA256.HashData(Encoding.UTF8.GetBytes(hash["{PLAIN}".Length..]));
        var (form, length) = hash.StartsWith("{SHA256}", StringComparison.Ordinal) ? ("{SHA256}", SHA256.HashSizeInBytes) : ("{SHA}", SHA1.HashSizeInBytes);
        if (!hash.StartsWith(form, StringComparison.Ordinal))
            throw new ArgumentException($"the hash of user '{name}' is in no form that can be checked here: bcrypt (`htpasswd -B`), {{SHA}} (`htpasswd -s`), {{SHA256}} and {{PLAIN}} can; $apr1$ and crypt's cannot");
        var digest = new byte[SHA256.HashSizeInBytes];
        return Convert.TryFromBase64String(hash[form.Length..], digest, out var written) && written == length
            ? digest[..written]
            : throw new ArgumentException($"the hash of user '{name}' is not {form} and {length} bytes in base64");
    }

    // What `htpasswd -s` writes; collisions of SHA-1 do not help to find a password.
#pragma warning disable CA5350
    private static void Sha1(ReadOnlySpan<byte> password, Span<byte> digest) => SHA1.HashData(password, digest);
#pragma warning restore CA5350

    private sealed class User(NamedClient client, byte[] digest, BcryptHash? bcrypt)
    {
        private byte[]? _verified;

        public NamedClient Client => client;

        public byte[] Digest => digest;

        public BcryptHash? Bcrypt => bcrypt;

        public byte[]? Verified
        {
            get => Volatile.Read(ref _verified);
            set => Volatile.Write(ref _verified, value);
        }
    }
}
