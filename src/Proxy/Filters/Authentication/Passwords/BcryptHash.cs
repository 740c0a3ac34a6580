using System.Globalization;
using System.Security.Cryptography;

namespace Weft.Proxy.Filters.Authentication.Passwords;

/// <summary>`$2y$cost$salt+digest`, as `htpasswd -B` writes it. To check one takes from a millisecond (cost 5) to a second (cost 14), on purpose: never on a loop.</summary>
internal sealed class BcryptHash
{
    /// <summary>A second of one core for each wrong guess of a stranger.</summary>
    public const int MaxCost = 14;

    private const int MinCost = 4;
    private const int SaltBytes = 16;
    private const int DigestBytes = 23;

    // bcrypt looks at so much of a password and its final NUL.
    private const int MaxKeyBytes = 72;
    private const string Alphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private readonly byte[] _salt, _digest;

    private BcryptHash(int cost, byte[] salt, byte[] digest) => (Cost, _salt, _digest) = (cost, salt, digest);

    public int Cost { get; }

    public static bool IsOne(string text) => text.StartsWith("$2a$", StringComparison.Ordinal) || text.StartsWith("$2b$", StringComparison.Ordinal) || text.StartsWith("$2y$", StringComparison.Ordinal);

    /// <summary>One that nothing opens: for names that nobody has, so that they take as long as others.</summary>
    public static BcryptHash Nobodys(int cost) => new(cost, new byte[SaltBytes], []);

    /// <exception cref="ArgumentException">It is none; the message shows nothing of it.</exception>
    public static BcryptHash Parse(string text)
    {
        var parts = text.Split('$');
        if (!IsOne(text) || parts is not ["", _, { Length: 2 } cost, { Length: 53 } rest] || !rest.All(c => Alphabet.Contains(c, StringComparison.Ordinal))
            || !int.TryParse(cost, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            throw new ArgumentException("is no bcrypt hash of 60 characters");
        if (number is < MinCost or > MaxCost)
            throw new ArgumentException($"has a cost of {number}; {MinCost} to {MaxCost}");
        return new BcryptHash(number, Decode(rest[..22], SaltBytes), Decode(rest[22..], DigestBytes));
    }

    public bool Verify(ReadOnlySpan<byte> password)
    {
        // Implementations in C end a password at a NUL: `a` must not open with `a\0b`.
        if (password.Contains((byte)0))
            return false;
        Span<byte> key = stackalloc byte[MaxKeyBytes];
        var length = Math.Min(password.Length, MaxKeyBytes);
        password[..length].CopyTo(key);
        if (length < MaxKeyBytes)
            key[length++] = 0;
        key = key[..length];
        var cipher = new Blowfish();
        cipher.Expand(key, _salt);
        for (var i = 0; i < 1 << Cost; i++)
        {
            cipher.Expand(key, default);
            cipher.Expand(_salt, default);
        }

        Span<byte> text = stackalloc byte[24];
        "OrpheanBeholderScryDoubt"u8.CopyTo(text);
        for (var block = 0; block < text.Length; block += 8)
        {
            for (var i = 0; i < 64; i++)
                cipher.Encrypt(text.Slice(block, 8));
        }

        CryptographicOperations.ZeroMemory(key);
        return CryptographicOperations.FixedTimeEquals(text[..DigestBytes], _digest);
    }

    // bcrypt's own base64: another alphabet, no padding, most significant bits first.
    private static byte[] Decode(string text, int count)
    {
        var bytes = new byte[count];
        for (var i = 0; i < count * 8; i++)
        {
            var six = Alphabet.IndexOf(text[i / 6], StringComparison.Ordinal);
            if ((six >> (5 - (i % 6)) & 1) != 0)
                bytes[i / 8] |= (byte)(0x80 >> (i % 8));
        }

        return bytes;
    }
}
