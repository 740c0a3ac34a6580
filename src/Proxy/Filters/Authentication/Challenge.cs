namespace Weft.Proxy.Filters.Authentication;

/// <summary>401, or 403, with what would open the door (RFC 9110 section 11.6.1). Nothing of what the client sent is in it.</summary>
internal static class Challenge
{
    public static FilterVerdict Respond(ExchangeContext context, string detail, ReadOnlySpan<byte> challenge) => Respond(context, 401, detail, "unauthorized\n", challenge);

    public static FilterVerdict Respond(ExchangeContext context, int status, string detail, string body, ReadOnlySpan<byte> challenge)
    {
        context.Respond(status, detail, body);
        if (!context.IsGrpc)
            context.Reply.Head.Headers.Add("www-authenticate"u8, challenge);
        return FilterVerdict.Respond;
    }
}
