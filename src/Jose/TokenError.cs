namespace Weft.Jose;

/// <summary>Why a token was refused. Only <see cref="UnknownKey"/> can be cured by reading the key set again.</summary>
public enum TokenError
{
    None,
    TooLarge,
    Malformed,
    DuplicateMember,
    UnsupportedAlgorithm,
    CriticalHeader,
    WrongType,
    UnknownKey,
    BadSignature,
    WrongIssuer,
    WrongAudience,
    Expired,
    NotYetValid,
}

/// <summary>Text for a person; never a part of the token.</summary>
public static class TokenErrors
{
    public static string Describe(TokenError error) => error switch
    {
        TokenError.None => "the token is good",
        TokenError.TooLarge => "the token is larger than allowed",
        TokenError.Malformed => "the token is not a well-formed signed token (three base64url parts of JSON objects)",
        TokenError.DuplicateMember => "the token names a member twice",
        TokenError.UnsupportedAlgorithm => "the token's algorithm is not accepted (ES256 and RS256 are)",
        TokenError.CriticalHeader => "the token demands an extension that is not supported",
        TokenError.WrongType => "the token is not of the expected type",
        TokenError.UnknownKey => "no key of the issuer has the token's key id",
        TokenError.BadSignature => "the token's signature is not valid",
        TokenError.WrongIssuer => "the token has another issuer",
        TokenError.WrongAudience => "the token is meant for another audience",
        TokenError.Expired => "the token has expired",
        TokenError.NotYetValid => "the token is not valid yet",
        _ => error.ToString(),
    };
}
