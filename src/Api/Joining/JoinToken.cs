using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Weft.Api.Joining;

/// <summary>
/// What a new node shows to be let in, and by what it knows the cluster: `K10HASH::ID.SECRET`, the form that k3s uses. HASH is the SHA-256 of the
/// cluster's authority, so that a node sends its secret to nobody else; of the secret the cluster keeps a hash alone.
/// </summary>
public sealed partial record JoinToken(string AuthorityHash, string Id, string Secret)
{
    public const string SecretType = "weft.dev/join-token";
    public const string SecretNamespace = "kube-system";
    public const string SecretPrefix = "join-token-";

    /// <summary>Secret data: hash of the secret, the moment at which the token ends (RFC 3339; absent: never), and what it was made for.</summary>
    public const string HashKey = "hash", ExpiresKey = "expires", DescriptionKey = "description";

    /// <summary>The part that goes to the server.</summary>
    public string Credential => $"{Id}.{Secret}";

    /// <summary>A token is a secret: it is written out where it is made, by <see cref="Text"/>, and nowhere else.</summary>
    public override string ToString() => $"token {Id}";

    public string Text => $"K10{AuthorityHash}::{Id}.{Secret}";

    /// <summary>Null when the text is no token.</summary>
    public static JoinToken? Parse(string text) => Form().Match(text.Trim()) is { Success: true } match
        ? new JoinToken(match.Groups["hash"].Value, match.Groups["id"].Value, match.Groups["secret"].Value)
        : null;

    /// <summary>The id and secret of <see cref="Credential"/>; null when it is none.</summary>
    public static (string Id, string Secret)? ParseCredential(string text) => CredentialForm().Match(text) is { Success: true } match
        ? (match.Groups["id"].Value, match.Groups["secret"].Value)
        : null;

    public static JoinToken Create(ReadOnlySpan<byte> authorityDer) => new(
        HashOfAuthority(authorityDer), Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4)), Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(24)));

    public static string HashOfAuthority(ReadOnlySpan<byte> der) => Convert.ToHexStringLower(SHA256.HashData(der));

    /// <summary>192 random bits need no salt and no slow hash.</summary>
    public static string HashOfSecret(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    [GeneratedRegex(@"^K10(?<hash>[0-9a-f]{64})::(?<id>[0-9a-f]{8})\.(?<secret>[A-Za-z0-9_-]{32})$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Form();

    [GeneratedRegex(@"^(?<id>[0-9a-f]{8})\.(?<secret>[A-Za-z0-9_-]{32})$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex CredentialForm();
}
