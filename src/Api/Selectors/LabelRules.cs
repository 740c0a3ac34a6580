namespace Weft.Api.Selectors;

/// <summary>What Kubernetes allows as label key and value, in the words of its own messages.</summary>
public static class LabelRules
{
    private const string NamePart =
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character " +
        "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    private const string Value =
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character " +
        "(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
    private const string Prefix =
        "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character " +
        "(e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

    /// <summary>What is wrong with a label (or annotation) key, or null.</summary>
    public static string? KeyProblem(string key)
    {
        var slash = key.IndexOf('/');
        if (slash != key.LastIndexOf('/'))
            return "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character " +
                "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') " +
                "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
        if (slash == 0)
            return "prefix part must be non-empty";
        if (slash > 253)
            return "prefix part must be no more than 253 bytes";
        if (slash > 0 && !IsSubdomain(key.AsSpan(0, slash)))
            return Prefix;

        var name = key.AsSpan(slash + 1);
        if (name.Length == 0)
            return "name part must be non-empty";
        if (name.Length > 63)
            return "name part must be no more than 63 bytes";
        return IsName(name) ? null : NamePart;
    }

    /// <summary>What is wrong with a label value, or null.</summary>
    public static string? ValueProblem(string value)
    {
        if (value.Length > 63)
            return "must be no more than 63 bytes";
        return value.Length == 0 || IsName(value) ? null : Value;
    }

    private static bool IsName(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))
                return false;
        return char.IsAsciiLetterOrDigit(text[0]) && char.IsAsciiLetterOrDigit(text[^1]);
    }

    private static bool IsSubdomain(ReadOnlySpan<char> text)
    {
        foreach (var part in text.Split('.'))
        {
            var label = text[part];
            if (label.Length == 0 || label[0] == '-' || label[^1] == '-')
                return false;
            foreach (var c in label)
                if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-')
                    return false;
        }
        return true;
    }
}
