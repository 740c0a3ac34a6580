using System.Buffers.Text;
using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters.Headers;
using Weft.Proxy.Filters.Jwt;

namespace Weft.Proxy.Filters.Authentication.Passwords;

/// <summary>RFC 7617. Names and passwords are UTF-8, as the challenge says (section 2.1). A request whose password has a slow hash waits for a worker.</summary>
internal sealed class PasswordCheckFilter(BasicAuthFilter config, PasswordTable users, PasswordWorkers workers) : RequestFilter, IMadeAnew
{
    private static readonly TokenLocations Basic = new() { Headers = [("authorization", "Basic ")] };
    private readonly CredentialPlaces _places = new([Basic]);
    private readonly HeaderNames _own = new(config.ClientHeader is { } own ? [own] : []);
    private readonly byte[]? _clientHeader = config.ClientHeader is { } name ? Encoding.ASCII.GetBytes(name.ToLowerInvariant()) : null;
    private readonly byte[] _challenge = Encoding.ASCII.GetBytes($"Basic realm=\"{config.Realm}\", charset=\"UTF-8\"");

    public override FilterVerdict OnRequest(ExchangeContext context)
    {
        if (context.State is Waiting { Check.IsCompleted: true } waiting)
            return Decide(context, waiting.Check is { IsCompletedSuccessfully: true, Result: true } ? waiting.Client : null, TokenCount.One);
        var count = Basic.Find(context.Request, out var credentials);
        var answer = count == TokenCount.One ? Find(credentials) : default;
        if (answer.Check is not { } check)
            return Decide(context, answer.Client, count);
        if (workers.Check(check) is not { } running)
        {
            // Not a word about the password: nobody has looked at it.
            context.Respond(503, "password_check_overloaded", "too many passwords are being checked\n");
            if (!context.IsGrpc)
                context.Reply.Head.Headers.Add("retry-after"u8, "1"u8);
            return FilterVerdict.Respond;
        }

        context.State = new Waiting(running, answer.Client!);
        new ExchangeWait(context.Host).For(running);
        return FilterVerdict.Suspend;
    }

    private FilterVerdict Decide(ExchangeContext context, NamedClient? client, TokenCount count)
    {
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
    private PasswordAnswer Find(string credentials)
    {
        var bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(credentials.Length)];
        if (!Convert.TryFromBase64String(credentials, bytes, out var written))
            return default;
        var text = bytes.AsSpan(0, written);
        var colon = text.IndexOf((byte)':');
        return colon < 0 ? default : users.Find(Encoding.UTF8.GetString(text[..colon]), text[(colon + 1)..]);
    }

    private sealed record Waiting(Task<bool> Check, NamedClient Client);
}
