using System.Text.Json.Nodes;
using Weft.ApiServer.Tests.CustomResources;
using Weft.ApiServer.Tests.Kit;

namespace Weft.ApiServer.Tests.Webhooks;

/// <summary>ValidatingAdmissionPolicies and their bindings.</summary>
public sealed class AdmissionPolicyTests
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";
    private const string Policies = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
    private const string Bindings = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";

    private static string Policy(string more) => """
        {"metadata":{"name":"p.example.com"},"spec":{"matchConstraints":{"resourceRules":[{"operations":["CREATE","UPDATE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["configmaps"]}]},MORE}}
        """.Replace("MORE", more, StringComparison.Ordinal);

    private static string Binding(string actions = "\"Deny\"", string more = "") =>
        "{\"metadata\":{\"name\":\"b\"},\"spec\":{\"policyName\":\"p.example.com\",\"validationActions\":[" + actions + "]" + more + "}}";

    private static string Map(string name, string data) => "{\"metadata\":{\"name\":\"" + name + "\",\"labels\":{\"l\":\"1\"}},\"data\":" + data + "}";

    private static async Task<TestServer> StartAsync(string policy, string? binding)
    {
        var server = await CustomServer.StartAsync();
        (await server.PostAsync(Policies, policy)).Expect(201);
        if (binding is not null)
            (await server.PostAsync(Bindings, binding)).Expect(201);
        return server;
    }

    [Fact]
    public async Task A_policy_refuses_only_where_a_binding_says_so()
    {
        await using var server = await StartAsync(Policy("""
            "variables":[{"name":"n","expression":"int(object.data.n)"},{"name":"twice","expression":"variables.n * 2"}],
            "validations":[{"expression":"variables.twice <= 10","messageExpression":"'%d is too much for %s'.format([variables.n, namespaceObject.metadata.name])"},
                           {"expression":"oldObject == null || oldObject.data.n == object.data.n","message":"n is fixed","reason":"Forbidden"}]
            """), null);
        (await server.PostAsync(Maps, Map("free", """{"n":"9"}"""))).Expect(201);
        (await server.PostAsync(Bindings, Binding())).Expect(201);

        var refused = (await server.PostAsync(Maps, Map("m", """{"n":"6"}"""))).Expect(422);
        Assert.Equal("configmaps \"m\" is forbidden: ValidatingAdmissionPolicy 'p.example.com' with binding 'b' denied request: 6 is too much for default", refused.Message);
        Assert.Equal("Invalid", refused.Reason);
        (await server.PostAsync(Maps, Map("m", """{"n":"5"}"""))).Expect(201);
        Assert.EndsWith("denied request: n is fixed", (await server.PatchAsync($"{Maps}/m", "merge-patch+json", """{"data":{"n":"4"}}""")).Expect(403).Message, StringComparison.Ordinal);
        (await server.DeleteAsync($"{Maps}/m")).Expect(200);
        // An expression that fails counts as one that does not hold.
        Assert.Contains("type conversion error from 'x' to int", (await server.PostAsync(Maps, Map("m", """{"n":"x"}"""))).Expect(422).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_warning_lets_pass_and_an_ignored_failure_does_too()
    {
        await using var server = await StartAsync(Policy("""
            "failurePolicy":"Ignore","validations":[{"expression":"object.data.a != 'bad'"},{"expression":"object.data.none == 'x'"}]
            """), Binding("\"Warn\",\"Audit\""));
        var made = (await server.PostAsync(Maps, Map("m", """{"a":"bad"}"""))).Expect(201);
        Assert.Equal("299 - \"Validation failed for ValidatingAdmissionPolicy 'p.example.com' with binding 'b': failed expression: object.data.a != 'bad'\"", Assert.Single(made.Warnings));
    }

    [Theory]
    [InlineData(",\"matchResources\":{\"objectSelector\":{\"matchLabels\":{\"l\":\"1\"}}}", true)]
    [InlineData(",\"matchResources\":{\"objectSelector\":{\"matchLabels\":{\"l\":\"2\"}}}", false)]
    [InlineData(",\"matchResources\":{\"namespaceSelector\":{\"matchLabels\":{\"kubernetes.io/metadata.name\":\"other\"}}}", false)]
    [InlineData(",\"matchResources\":{\"resourceRules\":[{\"operations\":[\"*\"],\"apiGroups\":[\"\"],\"apiVersions\":[\"*\"],\"resources\":[\"configmaps\"],\"resourceNames\":[\"m\"]}]}", true)]
    [InlineData(",\"matchResources\":{\"resourceRules\":[{\"operations\":[\"*\"],\"apiGroups\":[\"\"],\"apiVersions\":[\"*\"],\"resources\":[\"secrets\"]}]}", false)]
    [InlineData(",\"matchResources\":{\"excludeResourceRules\":[{\"operations\":[\"*\"],\"apiGroups\":[\"\"],\"apiVersions\":[\"*\"],\"resources\":[\"configmaps\"]}],\"resourceRules\":[{\"operations\":[\"*\"],\"apiGroups\":[\"*\"],\"apiVersions\":[\"*\"],\"resources\":[\"*\"]}]}", false)]
    public async Task A_binding_narrows(string more, bool denied)
    {
        await using var server = await StartAsync(Policy("\"validations\":[{\"expression\":\"false\"}]"), Binding(more: more));
        (await server.PostAsync(Maps, Map("m", "{}"))).Expect(denied ? 422 : 201);
    }

    [Fact]
    public async Task Params_are_objects_by_name_or_labels()
    {
        const string WithParams = "\"paramKind\":{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"},\"matchConditions\":[{\"name\":\"c\",\"expression\":\"object.metadata.name != params.metadata.name\"}],\"validations\":[{\"expression\":\"object.data.v != params.data.forbidden\"}]";
        await using var server = await StartAsync(Policy(WithParams), null);
        (await server.PostAsync(Maps, """{"metadata":{"name":"param","labels":{"is":"param"}},"data":{"forbidden":"x","v":""}}""")).Expect(201);
        (await server.PostAsync(Bindings, Binding(more: ",\"paramRef\":{\"name\":\"param\",\"parameterNotFoundAction\":\"Deny\"}"))).Expect(201);
        (await server.PostAsync(Maps, Map("m", """{"v":"x"}"""))).Expect(422);
        (await server.PostAsync(Maps, Map("m", """{"v":"y"}"""))).Expect(201);
        (await server.DeleteAsync($"{Maps}/param")).Expect(200);
        Assert.Contains("no params found", (await server.PostAsync(Maps, Map("n", """{"v":"y"}"""))).Expect(422).Message, StringComparison.Ordinal);

        (await server.DeleteAsync($"{Bindings}/b")).Expect(200);
        (await server.PostAsync(Maps, """{"metadata":{"name":"param","labels":{"is":"param"}},"data":{"forbidden":"x","v":""}}""")).Expect(201);
        (await server.PostAsync(Bindings, Binding(more: ",\"paramRef\":{\"selector\":{\"matchLabels\":{\"is\":\"param\"}},\"parameterNotFoundAction\":\"Allow\"}"))).Expect(201);
        (await server.PostAsync(Maps, Map("o", """{"v":"x"}"""))).Expect(422);
    }

    [Theory]
    [InlineData("Fail", 422)]
    [InlineData("Ignore", 201)]
    public async Task Params_of_no_namespace_are_an_error_for_what_lies_in_none(string failurePolicy, int code)
    {
        await using var server = await StartAsync(Policy($$"""
            "failurePolicy":"{{failurePolicy}}","paramKind":{"apiVersion":"v1","kind":"ConfigMap"},
            "validations":[{"expression":"object.metadata.name == params.data.allowed"}]
            """).Replace("\"configmaps\"", "\"namespaces\"", StringComparison.Ordinal), null);
        (await server.PostAsync(Maps, """{"metadata":{"name":"param","labels":{"is":"param"}},"data":{"allowed":"other"}}""")).Expect(201);
        (await server.PostAsync(Bindings, Binding(more: ",\"paramRef\":{\"selector\":{\"matchLabels\":{\"is\":\"param\"}},\"parameterNotFoundAction\":\"Deny\"}"))).Expect(201);
        var made = (await server.PostAsync("/api/v1/namespaces", """{"metadata":{"name":"n"}}""")).Expect(code);
        if (code != 201)
            Assert.EndsWith("denied request: cannot use namespaced paramRef in policy binding that matches cluster-scoped resources", made.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"validations\":[]", "spec.validations: Required value: validations or auditAnnotations must contain at least one item")]
    [InlineData("\"validations\":[{\"expression\":\"object.\"}]", "spec.validations[0].expression: Invalid value: \"object.\": compilation failed: ERROR: <input>:1:8")]
    [InlineData("\"validations\":[{\"expression\":\"1\"}]", "must evaluate to bool, not int")]
    [InlineData("\"validations\":[{\"expression\":\"params.x == 1\"}]", "undeclared reference to 'params'")]
    [InlineData("\"validations\":[{\"expression\":\"true\",\"reason\":\"Bad\"}]", "spec.validations[0].reason: Unsupported value: \"Bad\"")]
    [InlineData("\"validations\":[{\"expression\":\"true\"}],\"variables\":[{\"name\":\"a-b\",\"expression\":\"1\"}]", "spec.variables[0].name: Invalid value: \"a-b\"")]
    [InlineData("\"validations\":[{\"expression\":\"true\"}],\"matchConstraints\":{}", "spec.matchConstraints.resourceRules: Required value")]
    public async Task A_wrong_policy_is_refused_with_its_place(string spec, string error)
    {
        await using var server = await CustomServer.StartAsync();
        var policy = (JsonObject)JsonNode.Parse(Policy("\"failurePolicy\":\"Fail\""))!;
        foreach (var (name, value) in (JsonObject)JsonNode.Parse("{" + spec + "}")!)
            policy["spec"]![name] = value?.DeepClone();
        Assert.Contains(error, (await server.PostAsync(Policies, policy.ToJsonString())).Expect(422).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"Deny\",\"Warn\"", "", "must not contain both Deny and Warn")]
    [InlineData("\"Shout\"", "", "spec.validationActions[0]: Unsupported value: \"Shout\"")]
    [InlineData("\"Deny\"", ",\"paramRef\":{\"parameterNotFoundAction\":\"Allow\"}", "exactly one of name and selector must be set")]
    public async Task A_wrong_binding_is_refused_with_its_place(string actions, string more, string error)
    {
        await using var server = await CustomServer.StartAsync();
        Assert.Contains(error, (await server.PostAsync(Bindings, Binding(actions, more))).Expect(422).Message, StringComparison.Ordinal);
    }
}
