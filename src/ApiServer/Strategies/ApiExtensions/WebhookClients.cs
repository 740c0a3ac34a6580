using Weft.Api;

namespace Weft.ApiServer.Strategies.ApiExtensions;

/// <summary>The `clientConfig` of a webhook, whatever kind it belongs to: one address, over TLS.</summary>
internal static class WebhookClients
{
    public static IEnumerable<FieldError> Validate(Field client)
    {
        var (url, service) = (client["url"], client["service"]);
        if (url.Exists == service.Exists)
            yield return client.Required("exactly one of url or service is required");
        if (url.Text is { } text)
        {
            foreach (var wrong in Url(text))
                yield return url.Invalid(wrong);
        }
        if (service.Exists)
        {
            foreach (var error in Rules.Named(service["name"], NameRules.Dns1035Label).Concat(Rules.Filled(service["namespace"])).Concat(Rules.Port(service["port"])))
                yield return error;
            if (service["path"].Text is { } path && (!path.StartsWith('/') || path.Contains("//", StringComparison.Ordinal) || path.AsSpan().IndexOfAny("?#") >= 0))
                yield return service["path"].Invalid("must begin with a '/' and be a plain path");
        }
        if (client["caBundle"].Text is { Length: > 0 } bundle && !HasCertificate(bundle))
            yield return client["caBundle"].Invalid("unable to load root certificates: must be PEM certificates in base64");
    }

    private static IEnumerable<string> Url(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url))
        {
            yield return "must be an absolute URL";
            yield break;
        }
        if (url.Scheme != "https")
            yield return "'https' is the only allowed URL scheme";
        if (url.Host.Length == 0)
            yield return "host must be specified";
        if (url.UserInfo.Length > 0)
            yield return "user information is not permitted in the URL";
        if (url.Fragment.Length > 0)
            yield return "fragments are not permitted in the URL";
        if (url.Query.Length > 0)
            yield return "query parameters are not permitted in the URL";
    }

    private static bool HasCertificate(string base64)
    {
        try
        {
            return Webhooks.CaBundles.Read(Convert.FromBase64String(base64)).Count > 0;
        }
        catch (Exception e) when (e is FormatException or System.Security.Cryptography.CryptographicException)
        {
            return false;
        }
    }
}
