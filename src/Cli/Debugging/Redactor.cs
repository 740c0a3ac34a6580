using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Weft.Cli.Debugging;

/// <summary>
/// Takes secrets out of what goes into a bundle. Objects: the values of Secrets, and of variables whose names speak of secrets. Text: keys in PEM,
/// tokens, passwords. Whoever sends a bundle to others should still look into it: nobody can tell every secret from the text around it. Pure.
/// </summary>
public static partial class Redactor
{
    private const string Gone = "(removed)";
    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";

    public static string Text(string text)
    {
        text = PrivateKey().Replace(text, "(private key removed)");
        text = JoinTokens().Replace(text, "(join token removed)");
        text = WebTokens().Replace(text, "(token removed)");
        text = Bearer().Replace(text, "${head}" + Gone);
        text = Address().Replace(text, "${head}" + Gone);
        return Assignment().Replace(text, "${head}" + Gone);
    }

    /// <summary>Changes the tree in place.</summary>
    public static JsonObject Object(JsonObject tree)
    {
        if (tree["metadata"] is JsonObject metadata)
        {
            metadata.Remove("managedFields");
            // A copy of the whole object as it was applied, with all that is removed below.
            (metadata["annotations"] as JsonObject)?.Remove(LastApplied);
        }

        if ((string?)tree["kind"] == "Secret")
        {
            foreach (var part in new[] { "data", "stringData" })
            {
                if (tree[part] is not JsonObject values)
                    continue;
                foreach (var key in values.Select(pair => pair.Key).ToList())
                    values[key] = $"(removed, {values[key]?.ToString().Length ?? 0} characters)";
            }
        }

        Walk(tree);
        return tree;
    }

    private static void Walk(JsonNode? node)
    {
        switch (node)
        {
            case JsonArray array:
                for (var i = 0; i < array.Count; i++)
                {
                    if (array[i] is JsonValue value && value.TryGetValue<string>(out var text))
                        Replace(text, changed => array[i] = changed);
                    else
                        Walk(array[i]);
                }

                break;
            case JsonObject tree:
                // A variable: {name: DB_PASSWORD, value: ...}.
                if ((tree["name"] as JsonValue)?.TryGetValue<string>(out var name) == true && tree["value"] is JsonValue && SecretName().IsMatch(name))
                    tree["value"] = Gone;
                foreach (var key in tree.Select(pair => pair.Key).ToList())
                {
                    if (tree[key] is JsonValue value && value.TryGetValue<string>(out var text))
                        Replace(text, changed => tree[key] = changed);
                    else
                        Walk(tree[key]);
                }

                break;
        }
    }

    private static void Replace(string text, Action<string> set)
    {
        var clean = Text(text);
        if (!ReferenceEquals(clean, text) && clean != text)
            set(clean);
    }

    [GeneratedRegex("-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[^-]{0,20000}(-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----)?", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex PrivateKey();

    [GeneratedRegex(@"K10[0-9a-f]{64}::[0-9a-f]{8}\.[A-Za-z0-9_-]{8,64}", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex JoinTokens();

    // A JWT: three parts in base64url, the first of which begins with {" (RFC 7519).
    [GeneratedRegex(@"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(\.[A-Za-z0-9_-]*)?", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex WebTokens();

    [GeneratedRegex(@"(?i)(?<head>\b(bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Bearer();

    // The password of postgres://shop:secret@db/orders (RFC 3986, 3.2.1).
    [GeneratedRegex(@"(?<head>://[^\s/:@""']{0,256}:)[^\s/@""']{1,1024}(?=@)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Address();

    [GeneratedRegex(@"(?i)(?<head>--token[= ]|\b(password|passwd|secret|token|api[-_]?key|client-key-data)\b[""']?\s*[:=]\s*[""']?)[^\s""',;}(]{4,}", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Assignment();

    [GeneratedRegex("(?i)passw|secret|token|api_?key|private_?key|credential|access_?key", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex SecretName();
}
