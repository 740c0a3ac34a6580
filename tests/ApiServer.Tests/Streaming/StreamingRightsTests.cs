using Weft.ApiServer.Authorization;

namespace Weft.ApiServer.Tests.Streaming;

public sealed class StreamingRightsTests
{
    private static readonly string[] Handshake = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="];

    [Theory]
    [InlineData("exec?command=cat&stdin=true&stdout=true")]
    [InlineData("attach?stdout=true")]
    [InlineData("portforward?ports=80")]
    public async Task A_right_to_get_is_not_one_to_open_a_session(string what)
    {
        await using var server = await StreamingServer.StartAsync(authorizer: new SessionVerbs("get"));
        var (code, _, stream) = await server.RequestAsync("GET", "/api/v1/namespaces/default/pods/web/" + what, Handshake);
        await stream.DisposeAsync();

        Assert.Equal(403, code);
        Assert.Null(server.Pod.LastTarget);
    }

    [Theory]
    [InlineData("create", "GET", 403)]
    [InlineData("get", "POST", 403)]
    [InlineData("create", "POST", 101)]
    [InlineData("get create", "GET", 101)]
    public async Task The_method_needs_its_own_verb_and_every_session_needs_create(string verbs, string method, int expected)
    {
        await using var server = await StreamingServer.StartAsync(authorizer: new SessionVerbs(verbs.Split(' ')));
        string[] headers = method == "GET" ? Handshake : ["Connection: Upgrade", "Upgrade: SPDY/3.1", "Content-Length: 0", "X-Stream-Protocol-Version: v4.channel.k8s.io"];
        var (code, _, stream) = await server.RequestAsync(method, "/api/v1/namespaces/default/pods/web/exec?command=hang&stdout=true", headers);
        await stream.DisposeAsync();

        Assert.Equal(expected, code);
    }

    /// <summary>Allows everything but the sessions of pods, and of those only some verbs.</summary>
    private sealed class SessionVerbs(params string[] verbs) : IAuthorizer
    {
        public ValueTask<AccessDecision> AuthorizeAsync(AccessAttributes attributes, CancellationToken cancellationToken) =>
            new(new AccessDecision(attributes.Subresource is not ("exec" or "attach" or "portforward") || verbs.Contains(attributes.Verb), ""));
    }
}
