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
    private readonly Func<BcryptHash, byte[], bool> _verify;
    private readonly User _nobody;

    // Of the slowest entry; 0: all are fast.
    private readonly int _cost;

    /// <param name="verify">Does the slow work: hash and password; null: as it is done.</param>
    /// <exception cref="ArgumentException">A line is none; the message shows no hash.</exception>
    public PasswordTable(string lines, Func<BcryptHash, byte[], bool>? verify = null)
    {
        _verify = verify ?? ((hash, password) => hash.Verify(password));
        foreach (var (name, hash) in CredentialLines.Read(lines, (name, hash) => (name, hash)))
        {
            if (!NamedClient.IsName(name))
                throw new ArgumentException("the name of a user is of visible ASCII without a colon");
            if (!_users.TryAdd(name, Read(name, hash)))
                throw new ArgumentException($"user '{name}' stands twice");
        }

        _cost = _users.Values.Max(user => user.Bcrypt?.Cost) ?? 0;
        _nobody = new User(new NamedClient("nobody"), NoDigest, null);
    }

    public PasswordAnswer Find(string name, ReadOnlySpan<byte> password)
    {
        var user = _users.GetValueOrDefault(name, _nobody);
        Span<byte> digests = stackalloc byte[SHA1.HashSizeInBytes + SHA256.HashSizeInBytes];
        var sha1 = digests[..SHA1.HashSizeInBytes];
        var sha256 = digests[SHA1.HashSizeInBytes..];
        Sha1(password, sha1);
        SHA256.HashData(password, sha256);
        var good = CryptographicOperations.FixedTimeEquals(user.Digest.Length == sha1.Length ? sha1 : sha256, user.Digest);
        if (good && user != _nobody && user.Bcrypt is null)
            return new(user.Client, null);
        return _cost == 0 ? default : Slow(user, password);
    }

    /// <summary>How long a refusal takes must not say whether there is such a user: each takes as long as one of the slowest entry.</summary>
    private PasswordAnswer Slow(User user, ReadOnlySpan<byte> password)
    {
        var digest = HMACSHA256.HashData(_memoryKey, password);
        if (user.Verified is { } verified && CryptographicOperations.FixedTimeEquals(digest, verified))
            return new(user.Client, null);
        var copy = password.ToArray();
        return new(user.Client, () =>
        {
            var good = user.Bcrypt is { } hash && _verify(hash, copy);
            if (good)
                user.Verified = digest;
            else
                MakeUp(user, copy);
            CryptographicOperations.ZeroMemory(copy);
            return good;
        });
    }

    // A cost is a power of two: cheaper ones c, c + 1, ... up to the highest make up for what a check of c lacks.
    private void MakeUp(User user, byte[] password)
    {
        if (user.Bcrypt is null)
            _verify(BcryptHash.Nobodys(_cost), password);
        for (var cost = user.Bcrypt?.Cost ?? _cost; cost < _cost; cost++)
            _verify(BcryptHash.Nobodys(cost), password);
    }

    private static User Read(string name, string hash)
    {
        if (!BcryptHash.IsOne(hash))
            return new User(new(name), Digest(name, hash), null);
        try
        {
            return new User(new(name), NoDigest, BcryptHash.Parse(hash));
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
