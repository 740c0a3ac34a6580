using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Weft.Control.Discovery.Model;
using Weft.Control.Discovery.Registry;

namespace Weft.Control.Discovery.Http;

/// <summary>One request: its path, who asks, and how it is answered.</summary>
internal sealed class ConsulCall(HttpContext context, string[] path, CallerRights rights)
{
    // The largest registration, with room to spare; values have their own limit.
    private const int MaxBody = 256 * 1024;

    public HttpContext Context => context;

    /// <summary>After `/v1`, decoded.</summary>
    public string[] Path => path;

    public CancellationToken Ended => context.RequestAborted;

    public string Method => context.Request.Method;

    public string Query(string name) => context.Request.Query[name] is [{ } value, ..] ? value : "";

    public IReadOnlyList<string> Queries(string name) => [.. context.Request.Query[name].OfType<string>().Where(value => value.Length > 0)];

    public bool Has(string name) => context.Request.Query.ContainsKey(name);

    /// <exception cref="RegistryException">403.</exception>
    public void NeedAll()
    {
        if (rights != CallerRights.All)
            throw new RegistryException(403, "Permission denied: from elsewhere than this machine this needs the token of the registry's token file (header X-Consul-Token)");
    }

    /// <summary>Where the caller is, when it is not this machine.</summary>
    public string? Caller => RegistryAccess.IsLocal(context.Connection.RemoteIpAddress) ? null : context.Connection.RemoteIpAddress is { IsIPv4MappedToIPv6: true } mapped ? mapped.MapToIPv4().ToString() : context.Connection.RemoteIpAddress?.ToString();

    /// <exception cref="RegistryException">405.</exception>
    public void Need(string method, string? other = null)
    {
        if (Method == method || Method == other || (Method == "HEAD" && method == "GET"))
            return;
        context.Response.Headers.Allow = other is null ? method : $"{method},{other}";
        throw new RegistryException(405, $"method {Method} not allowed");
    }

    public async Task<byte[]> BodyAsync(int limit = MaxBody)
    {
        if (context.Request.ContentLength > limit)
            throw TooLarge(limit);
        var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await context.Request.Body.ReadAsync(buffer, Ended) is > 0 and var length)
        {
            if (body.Length + length > limit)
                throw TooLarge(limit);
            body.Write(buffer, 0, length);
        }

        return body.ToArray();
    }

    public async Task<BodyReader> JsonBodyAsync() => BodyReader.Parse(await BodyAsync());

    /// <exception cref="RegistryException">500, as Consul has it for another data centre.</exception>
    public void NeedDatacenter(string own)
    {
        if (Query("dc") is { Length: > 0 } dc && !dc.Equals(own, StringComparison.OrdinalIgnoreCase))
            throw new RegistryException(500, "No path to datacenter");
    }

    public void SetIndex(long index)
    {
        var headers = context.Response.Headers;
        headers["X-Consul-Index"] = index.ToString(CultureInfo.InvariantCulture);
        headers["X-Consul-KnownLeader"] = "true";
        headers["X-Consul-LastContact"] = "0";
        headers["X-Consul-Effective-Consistency"] = "consistent";
    }

    /// <summary>With `?pretty` indented, with `?filter=` what it leaves.</summary>
    public async Task AnswerAsync(JsonNode? json, int status = 200, bool filters = true)
    {
        if (filters && json is JsonArray list)
        {
            json = Filtered(list);
        }
        else if (filters && json is JsonObject map && Query("filter") is { Length: > 0 } of)
        {
            var expression = FilterExpression.Parse(of);
            json = new JsonObject(map.Where(pair => pair.Value is not null && expression.IsTrue(pair.Value)).Select(pair => KeyValuePair.Create(pair.Key, pair.Value?.DeepClone())));
        }

        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        var bytes = JsonSerializer.SerializeToUtf8Bytes(json, Has("pretty") ? ConsulNodeJson.Indented : ConsulNodeJson.Plain);
        context.Response.ContentLength = bytes.Length;
        if (Method != "HEAD")
            await context.Response.Body.WriteAsync(bytes, Ended);
    }

    /// <summary>What `?filter=` leaves of a list.</summary>
    public JsonArray Filtered(JsonArray list)
    {
        if (Query("filter") is not { Length: > 0 } filter)
            return list;
        var expression = FilterExpression.Parse(filter);
        return new JsonArray([.. list.OfType<JsonNode>().Where(expression.IsTrue).Select(item => item.DeepClone())]);
    }

    public async Task TextAsync(string text, int status)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync(text, Encoding.UTF8, Ended);
    }

    private static RegistryException TooLarge(int limit) => new(413, $"Request body too large, max size: {limit} bytes");
}

internal static class ConsulNodeJson
{
    public static System.Text.Json.Serialization.Metadata.JsonTypeInfo<JsonNode?> Plain { get; } = Make(indented: false);

    public static System.Text.Json.Serialization.Metadata.JsonTypeInfo<JsonNode?> Indented { get; } = Make(indented: true);

    private static System.Text.Json.Serialization.Metadata.JsonTypeInfo<JsonNode?> Make(bool indented) =>
        (System.Text.Json.Serialization.Metadata.JsonTypeInfo<JsonNode?>)new JsonSerializerOptions { WriteIndented = indented, TypeInfoResolver = new System.Text.Json.Serialization.Metadata.DefaultJsonTypeInfoResolver() }.GetTypeInfo(typeof(JsonNode));
}
