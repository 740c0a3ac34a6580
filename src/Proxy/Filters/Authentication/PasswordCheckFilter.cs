using System.Buffers.Text;
using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters.Headers;
using Weft.Proxy.Filters.Jwt;

namespace Weft.Proxy.Filters.Authentication;

/// <summary>RFC 7617. Names and passwords are UTF-8, as the challenge says (section 2.1).</summary>
internal sealed class PasswordCheckFilter(BasicAuthFilter config, PasswordTable users) : RequestFilter, IMadeAnew
{
    private static readonly TokenLocations Basic = new() { Headers = [("authorization", "Basic ")] };
    private readonly CredentialPlaces _places = new([Basic]);
    private readonly HeaderNames _own = new(config.ClientHeader is { } own ? [own] : []);
    private readonly byte[]? _clientHeader = config.ClientHeader is { } name ? Encoding.ASCII.GetBytes(name.ToLowerInvariant()) : null;
    private readonly byte[] _challenge = Encoding.ASCII.GetBytes($"Basic realm=\"{config.Realm}\", charset=\"UTF-8\"");

    public override FilterVerdict OnRequest(ExchangeContext context)
    {
        var count = Basic.Find(context.Request, out var credentials);
        var client = count == TokenCount.One ? Find(credentials) : null;
        _own.RemoveFrom(context.Request.Headers);
        if (client is null)
            return Challenge.Respond(context, count == TokenCount.None ? "password_missing" : "password_refused", _challenge);
        if (!config.Forward)
            _places.RemoveFrom(context);
        context.Identity = client;
        if (_clientHeader is not null)
            context.Request.Headers.Add(_clientHeader, Encoding.ASCII.GetBytes(client.Principal));
        return FilterVerdict.Continue;
    }

    // The first colon parts them: a password may have some, a name has none (section 2).
    private NamedClient? Find(string credentials)
    {
        var bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(credentials.Length)];
        if (!Convert.TryFromBase64String(credentials, bytes, out var written))
            return null;
        var text = bytes.AsSpan(0, written);
        var colon = text.IndexOf((byte)':');
        return colon < 0 ? null : users.Find(Encoding.UTF8.GetString(text[..colon]), text[(colon + 1)..]);
    }
}
