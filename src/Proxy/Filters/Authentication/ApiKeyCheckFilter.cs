using System.Collections.Immutable;
using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters.Headers;
using Weft.Proxy.Filters.Jwt;

namespace Weft.Proxy.Filters.Authentication;

/// <summary>A request has one key, in one of the places; its owner is who sends the request.</summary>
internal sealed class ApiKeyCheckFilter : RequestFilter, IMadeAnew
{
    private readonly ApiKeyFilter _config;
    private readonly ApiKeyTable _keys;
    private readonly TokenLocations _locations;
    private readonly CredentialPlaces _places;
    private readonly HeaderNames _own;
    private readonly byte[]? _clientHeader;

    public ApiKeyCheckFilter(ApiKeyFilter config, ApiKeyTable keys)
    {
        (_config, _keys) = (config, keys);
        _locations = new TokenLocations
        {
            Headers = config.Header.Length > 0 ? [(config.Header.ToLowerInvariant(), "")] : [],
            QueryParameters = config.Query is { } query ? [query] : ImmutableArray<string>.Empty,
            Cookies = config.Cookie is { } cookie ? [cookie] : ImmutableArray<string>.Empty,
        };
        _places = new CredentialPlaces([_locations]);
        _own = new HeaderNames(config.ClientHeader is { } own ? [own] : []);
        _clientHeader = config.ClientHeader is { } name ? Encoding.ASCII.GetBytes(name.ToLowerInvariant()) : null;
    }

    public override FilterVerdict OnRequest(ExchangeContext context)
    {
        var count = _locations.Find(context.Request, out var key);
        var client = count == TokenCount.One ? _keys.Find(key) : null;
        _own.RemoveFrom(context.Request.Headers);
        if (client is null)
        {
            _places.RemoveQuery(context);
            return Challenge.Respond(context, count == TokenCount.None ? "api_key_missing" : "api_key_refused", "ApiKey realm=\"weft\""u8);
        }

        if (!_config.Forward)
            _places.RemoveFrom(context);
        context.Identity = client;
        if (_clientHeader is not null)
            context.Request.Headers.Add(_clientHeader, Encoding.ASCII.GetBytes(client.Principal));
        return FilterVerdict.Continue;
    }
}
