using Weft.Api.ApiExtensions;
using Weft.Api.FrontDoor;
using Weft.Api.Schemas;
using Weft.ApiServer.Strategies;
using Weft.ApiServer.Strategies.ApiExtensions;
using Weft.ApiServer.Tests.Kit;

namespace Weft.ApiServer.Tests.CustomResources;

/// <summary>Weft's own kinds as the server serves them.</summary>
public sealed class WeftKindTests
{
    private const string Policies = "/apis/weft.dev/v1/namespaces/default/";

    private static List<PreinstalledDefinition> Definitions() => [.. WeftKinds.Preinstalled().Select(kind => PreinstalledDefinition.Of(kind, new SchemaReader()))];

    [Fact]
    public void Each_definition_is_structural()
        => Assert.All(Definitions().Select(definition => definition.Manifest()), crd => Assert.Empty(StructuralSchema.Validate(new Field(crd["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!, "s"))));

    [Fact]
    public async Task Policies_are_taken_defaulted_and_refused_over_http()
    {
        await using var server = await CustomServer.StartAsync(parts: parts => parts with { Preinstalled = Definitions() });
        (await server.GetAsync(Policies + "ratelimitpolicies")).Expect(200);
        var limit = (await server.PostAsync(Policies + "ratelimitpolicies", """{"metadata":{"name":"a"},"spec":{"targetRefs":[{"kind":"Ingress","name":"web"}],"limits":[{"requests":5,"by":[{"type":"ClientAddress"}]}]}}""")).Expect(201);
        Assert.Equal("""{"targetRefs":[{"kind":"Ingress","name":"web"}],"limits":[{"requests":5,"by":[{"type":"ClientAddress"}],"per":"1s"}],"statusCode":429}""", limit.Body["spec"]!.ToJsonString());
        (await server.PostAsync(Policies + "ratelimitpolicies", """{"metadata":{"name":"b"},"spec":{"targetRefs":[{"kind":"Ingress","name":"web"}],"limits":[{"requests":0}]}}""")).Expect(422);
        (await server.PostAsync(Policies + "apikeypolicies", """{"metadata":{"name":"a"},"spec":{"targetRefs":[{"kind":"Service","name":"web"}],"consumers":[{"name":"acme","secretRef":{"name":"keys","key":"acme"}}]}}""")).Expect(201);
        (await server.PostAsync(Policies + "apikeypolicies", """{"metadata":{"name":"b"},"spec":{}}""")).Expect(422);
        (await server.PostAsync(Policies + "basicauthpolicies", """{"metadata":{"name":"a"},"spec":{"targetRefs":[{"kind":"Service","name":"web"}],"secretRef":{"name":"users"}}}""")).Expect(201);
    }

    [Fact]
    public async Task A_policy_for_tokens_says_where_keys_are_in_one_way_at_most()
    {
        await using var server = await CustomServer.StartAsync(parts: parts => parts with { Preinstalled = Definitions() });
        (await server.GetAsync(Policies + "jwtpolicies")).Expect(200);
        async Task<int> CodeAsync(string name, string issuer, string more = "") => (await server.PostAsync(Policies + "jwtpolicies", $$$"""{"metadata":{"name":"{{{name}}}"},"spec":{"issuers":[{{{issuer}}}]{{{more}}}}}""")).Code;
        Assert.Equal(201, await CodeAsync("found", """{"issuer":"https://login.example"}"""));
        Assert.Equal(201, await CodeAsync("from", """{"issuer":"login","jwksFrom":{"secretRef":{"name":"keys"}}}""", ""","requiredScopes":["shop:read"],"requiredClaims":[{"claim":"groups","values":["a"]}]"""));
        Assert.Equal(201, await CodeAsync("uri", """{"issuer":"login","jwksUri":"http://keys.auth.svc.cluster.local/keys"}"""));
        Assert.Equal(422, await CodeAsync("nowhere", """{"issuer":"login"}"""));
        Assert.Equal(422, await CodeAsync("twice", """{"issuer":"login","jwks":"{}","jwksUri":"https://login.example/keys"}"""));
        Assert.Equal(422, await CodeAsync("password", """{"issuer":"login","jwksUri":"https://me:word@login.example/keys"}"""));
        Assert.Equal(422, await CodeAsync("scope", """{"issuer":"https://login.example"}""", ""","requiredScopes":["a b"]"""));
        Assert.Equal(422, (await server.PostAsync(Policies + "jwtpolicies", """{"metadata":{"name":"none"},"spec":{"issuers":[]}}""")).Code);
    }
}
