using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tests.Forwarding;

namespace Weft.Proxy.Tests.Filters;

/// <summary>An endpoint that answers with what it got: fields by name in lower case, the target as `target`.</summary>
internal static class Echo
{
    public static Task AnswerAsync(HttpContext context)
    {
        var seen = new JsonObject { ["target"] = context.Request.Path + context.Request.QueryString.Value };
        foreach (var (name, value) in context.Request.Headers)
            seen[name.ToLowerInvariant()] = value.ToString();
        return context.Response.WriteAsync(seen.ToJsonString());
    }

    public static ProxyConfig Config(WebApplication endpoint, params FilterConfig[] filters)
        => ProxyFixture.Config([ProxyFixture.Everything(new ForwardAction { Clusters = [new() { Cluster = "web" }] }) with { Filters = [.. filters] }], ProxyFixture.Cluster("web", endpoint));

    public static async Task<HttpResponseMessage> SendAsync(ProxyFixture proxy, string path, (string Name, string Value)[] fields, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://{proxy.Engine.Addresses.Values.Single()}{path}"));
        foreach (var (name, value) in fields)
            request.Headers.TryAddWithoutValidation(name, value);
        return await proxy.Client.SendAsync(request, cancellationToken);
    }

    public static async Task<JsonObject> SeenAsync(HttpResponseMessage response)
    {
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!.AsObject();
    }
}
