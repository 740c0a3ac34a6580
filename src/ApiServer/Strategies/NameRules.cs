namespace Weft.ApiServer.Strategies;

/// <summary>
/// The forms of names in Kubernetes (RFC 1123 and RFC 1035). Each method answers null, or what is wrong with the text.
/// </summary>
internal static class NameRules
{
    public const int MaxLabel = 63;
    public const int MaxSubdomain = 253;

    private const string LabelRule =
        "must be a lowercase RFC 1123 label: lower case letters, digits and '-', beginning and ending with a letter or digit (such as 'my-name')";

    private const string SubdomainRule =
        "must be a lowercase RFC 1123 subdomain: lower case letters, digits, '-' and '.', beginning and ending with a letter or digit (such as 'example.com')";

    private const string Label1035Rule =
        "must be a DNS-1035 label: lower case letters, digits and '-', beginning with a letter and ending with a letter or digit (such as 'my-name')";

    public static string? DnsLabel(string text) =>
        text.Length > MaxLabel ? TooLong(MaxLabel) : IsLabel(text, false) ? null : LabelRule;

    public static string? Dns1035Label(string text) =>
        text.Length > MaxLabel ? TooLong(MaxLabel) : IsLabel(text, true) ? null : Label1035Rule;

    public static string? DnsSubdomain(string text) =>
        text.Length > MaxSubdomain ? TooLong(MaxSubdomain) : text.Split('.').All(part => IsLabel(part, false)) ? null : SubdomainRule;

    /// <summary>Of RBAC objects: anything that can stand in a path.</summary>
    public static string? PathSegment(string text) => text switch
    {
        "." or ".." => $"may not be '{text}'",
        _ when text.Contains('/') => "may not contain '/'",
        _ when text.Contains('%') => "may not contain '%'",
        _ => null,
    };

    /// <summary>A name such as `app` or `example.com/app`: of labels, annotations, finalizers, conditions.</summary>
    public static string? QualifiedName(string text)
    {
        var slash = text.IndexOf('/');
        var name = text;
        if (slash >= 0)
        {
            var prefix = text[..slash];
            name = text[(slash + 1)..];
            if (name.Contains('/'))
                return "must be a name of letters, digits, '-', '_' and '.', with at most one prefix and '/' (such as 'example.com/MyName')";
            if (prefix.Length == 0)
                return "prefix part must be non-empty";
            if (DnsSubdomain(prefix) is { } wrong)
                return "prefix part " + wrong;
        }
        if (name.Length == 0)
            return "name part must be non-empty";
        if (name.Length > MaxLabel)
            return "name part " + TooLong(MaxLabel);
        return IsWord(name) ? null : "name part must consist of letters, digits, '-', '_' and '.', beginning and ending with a letter or digit (such as 'MyName')";
    }

    public static string? LabelValue(string text)
    {
        if (text.Length > MaxLabel)
            return TooLong(MaxLabel);
        return text.Length == 0 || IsWord(text)
            ? null
            : "a valid label must be empty or consist of letters, digits, '-', '_' and '.', beginning and ending with a letter or digit (such as 'my_value')";
    }

    /// <summary>Of container and service ports: `http`, `grpc-web`.</summary>
    public static string? PortName(string text)
    {
        if (text.Length > 15)
            return TooLong(15);
        if (text.Any(c => !char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-'))
            return "must contain only lower case letters, digits and '-'";
        if (!text.Any(char.IsAsciiLetterLower))
            return "must contain at least one letter";
        if (text.Contains("--", StringComparison.Ordinal))
            return "must not contain consecutive hyphens";
        return text.Length == 0 || text[0] == '-' || text[^1] == '-' ? "must not begin or end with a hyphen" : null;
    }

    /// <summary>Of config maps and secrets, and of environment variables taken from them.</summary>
    public static string? DataKey(string text)
    {
        if (text.Length > MaxSubdomain)
            return TooLong(MaxSubdomain);
        if (text.Length == 0 || text.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')))
            return "a valid config key must consist of letters, digits, '-', '_' or '.' (such as 'key.name')";
        if (text == ".")
            return "must not be '.'";
        return text.StartsWith("..", StringComparison.Ordinal) ? "must not start with '..'" : null;
    }

    /// <summary>Any printable ASCII but '='.</summary>
    public static string? EnvironmentName(string text) =>
        text.Length > 0 && text.All(c => c is >= ' ' and <= '~' and not '=') ? null : "must be printable ASCII characters other than '='";

    public static string? CIdentifier(string text) =>
        text.Length > 0 && !char.IsAsciiDigit(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')
            ? null
            : "a valid C identifier must start with a letter or '_', followed by letters, digits or '_' (such as 'my_name')";

    public static string TooLong(int most) => $"must be no more than {most} characters";

    private static bool IsLabel(ReadOnlySpan<char> text, bool startsWithLetter)
    {
        if (text.Length is 0 or > MaxSubdomain || text[^1] == '-' || text[0] == '-' || startsWithLetter && char.IsAsciiDigit(text[0]))
            return false;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-')
                return false;
        }
        return true;
    }

    private static bool IsWord(string text) =>
        char.IsAsciiLetterOrDigit(text[0]) && char.IsAsciiLetterOrDigit(text[^1]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
