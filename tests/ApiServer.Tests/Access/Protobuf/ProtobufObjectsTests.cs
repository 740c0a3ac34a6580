using System.Text.Json.Nodes;
using Weft.Api.Schemas;
using Weft.ApiServer.OpenApi;
using Weft.ApiServer.Protobuf;
using Weft.ApiServer.Strategies;

namespace Weft.ApiServer.Tests.Access.Protobuf;

public sealed class ProtobufObjectsTests
{
    private static readonly ProtobufObjects Objects = new();

    private static ProtoMessage Message(params (int Field, object Value)[] fields)
    {
        var message = new ProtoMessage();
        foreach (var (field, value) in fields)
        {
            switch (value)
            {
                case string text: message.Text(field, text); break;
                case int number: message.Integer(field, number); break;
                case bool flag: message.Flag(field, flag); break;
                case ProtoMessage inner: message.Message(field, inner); break;
            }
        }

        return message;
    }

    private static byte[] Body(string apiVersion, string kind, ProtoMessage raw) =>
        [.. "k8s\0"u8, .. Message((1, Message((1, apiVersion), (2, kind))), (2, raw), (3, ""), (4, "")).Written];

    private static string? Read(string apiVersion, string kind, ProtoMessage raw) => Objects.Read(Body(apiVersion, kind, raw))?.ToJsonString();

    // What Go writes for metadata: every string, and the zero time as an empty message.
    private static ProtoMessage Metadata(string name) => Message((1, name), (2, ""), (3, ""), (4, ""), (5, ""), (6, ""), (7, 0), (8, new ProtoMessage()));

    [Fact]
    public void A_config_map_reads_as_its_json()
    {
        var raw = Message((1, Metadata("c")), (2, Message((1, "key"), (2, "value"))), (2, Message((1, "empty"), (2, ""))), (3, Message((1, "bin"), (2, "\u0001\u0002"))));

        Assert.Equal("""{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"c"},"data":{"key":"value","empty":""},"binaryData":{"bin":"AQI="}}""", Read("v1", "ConfigMap", raw));
    }

    [Fact]
    public void Zero_is_kept_where_it_is_a_value_and_dropped_where_it_means_absent()
    {
        var probe = Message((1, Message((2, Message((1, "/"), (2, Message((1, 1), (2, 0), (3, "http"))))))), (2, 0), (3, 0), (4, 10));
        var container = Message((1, "c"), (2, "i"), (6, Message((1, ""), (2, 0), (3, 80), (4, "TCP"))), (10, probe), (15, Message((3, Message()), (4, 0), (5, false))));
        var volume = Message((1, "v"), (2, Message((2, Message((1, ""))))));
        var pod = Message((1, volume), (2, container), (4, 0), (11, false), (21, false));
        var raw = Message((1, Metadata("d")), (2, Message((1, 0), (3, Message((1, Metadata("")), (2, pod))), (5, 0), (7, false))));

        Assert.Equal(
            """
            {"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"d"},"spec":{"replicas":0,"template":{"metadata":{},"spec":{
            "volumes":[{"name":"v","emptyDir":{}}],
            "containers":[{"name":"c","image":"i","ports":[{"containerPort":80,"protocol":"TCP"}],"livenessProbe":{"httpGet":{"path":"/","port":"http"},"periodSeconds":10},
            "securityContext":{"seLinuxOptions":{},"runAsUser":0,"runAsNonRoot":false}}],
            "terminationGracePeriodSeconds":0,"automountServiceAccountToken":false}}}}
            """.ReplaceLineEndings(""),
            Read("apps/v1", "Deployment", raw));
    }

    [Fact]
    public void Reviews_and_options_are_read()
    {
        Assert.Equal(
            """{"kind":"SelfSubjectAccessReview","apiVersion":"authorization.k8s.io/v1","metadata":{},"spec":{"resourceAttributes":{"namespace":"a","verb":"get","resource":"pods"}}}""",
            Read("authorization.k8s.io/v1", "SelfSubjectAccessReview", Message((1, Metadata("")), (2, Message((1, Message((1, "a"), (2, "get"), (3, ""), (4, ""), (5, "pods"))))))));
        Assert.Equal(
            """{"kind":"DeleteOptions","apiVersion":"apps/v1","gracePeriodSeconds":0,"propagationPolicy":"Foreground"}""",
            Read("apps/v1", "DeleteOptions", Message((1, 0), (4, "Foreground"))));
        Assert.Equal(
            """{"kind":"SubjectAccessReview","apiVersion":"authorization.k8s.io/v1","spec":{"user":"u","groups":["g"],"extra":{"scopes":["x","y"]}}}""",
            Read("authorization.k8s.io/v1", "SubjectAccessReview", Message((2, Message((3, "u"), (4, "g"), (5, Message((1, "scopes"), (2, Message((1, "x"), (1, "y"))))))))));
    }

    [Fact]
    public void A_rule_of_the_core_group_keeps_its_empty_name() =>
        Assert.Equal(
            """{"kind":"Role","apiVersion":"rbac.authorization.k8s.io/v1","metadata":{"name":"r"},"rules":[{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}]}""",
            Read("rbac.authorization.k8s.io/v1", "Role", Message((1, Metadata("r")), (2, Message((1, "get"), (2, ""), (3, "pods"))))));

    // What `kubectl create job|cronjob|ingress|pdb` of 1.32 send.
    [Fact]
    public void Jobs_budgets_ingresses_and_claims_are_read()
    {
        var pod = Message((2, Message((1, "c"), (2, "i"))), (3, "Never"));
        Assert.Equal(
            """{"kind":"CronJob","apiVersion":"batch/v1","metadata":{"name":"c"},"spec":{"schedule":"@hourly","jobTemplate":{"metadata":{},"spec":{"backoffLimit":0,"template":{"metadata":{},"spec":{"containers":[{"name":"c","image":"i"}],"restartPolicy":"Never"}}}}},"status":{}}""",
            Read("batch/v1", "CronJob", Message((1, Metadata("c")), (2, Message((1, "@hourly"), (3, ""), (5, Message((1, Metadata("")), (2, Message((7, 0), (6, Message((1, Metadata("")), (2, pod))))))))), (3, new ProtoMessage()))));
        Assert.Equal(
            """{"kind":"PodDisruptionBudget","apiVersion":"policy/v1","metadata":{"name":"p"},"spec":{"selector":{"matchLabels":{"app":"a"}},"maxUnavailable":"50%"}}""",
            Read("policy/v1", "PodDisruptionBudget", Message((1, Metadata("p")), (2, Message((2, Message((1, Message((1, "app"), (2, "a"))))), (3, Message((1, 1), (2, 0), (3, "50%"))))))));
        var path = Message((1, "/"), (2, Message((4, Message((1, "db"), (2, Message((1, "web"), (2, 0))))))), (3, "Prefix"));
        Assert.Equal(
            """{"kind":"Ingress","apiVersion":"networking.k8s.io/v1","metadata":{"name":"i"},"spec":{"rules":[{"host":"a.example","http":{"paths":[{"path":"/","backend":{"service":{"name":"db","port":{"name":"web"}}},"pathType":"Prefix"}]}}]}}""",
            Read("networking.k8s.io/v1", "Ingress", Message((1, Metadata("i")), (2, Message((3, Message((1, "a.example"), (2, Message((1, Message((1, path))))))))))));
        Assert.Equal(
            """{"kind":"ValidatingWebhookConfiguration","apiVersion":"admissionregistration.k8s.io/v1","metadata":{"name":"v"},"webhooks":[{"name":"a.b.c","clientConfig":{"url":"https://h/"},"rules":[{"operations":["CREATE"],"apiGroups":[""],"resources":["pods"]}],"timeoutSeconds":5}]}""",
            Read("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", Message((1, Metadata("v")), (2, Message((1, "a.b.c"), (2, Message((3, "https://h/"))), (3, Message((1, "CREATE"), (2, Message((1, ""), (3, "pods"))))), (7, 5))))));
        // No class is not the default class.
        Assert.Equal(
            """{"kind":"PersistentVolumeClaim","apiVersion":"v1","metadata":{"name":"c"},"spec":{"accessModes":["ReadWriteOnce"],"storageClassName":""}}""",
            Read("v1", "PersistentVolumeClaim", Message((1, Metadata("c")), (2, Message((1, "ReadWriteOnce"), (3, ""), (5, ""))))));
    }

    [Fact]
    public void Every_kind_that_can_be_created_has_a_protobuf_form()
    {
        var kinds = BuiltInResources.All(new SchemaReader()).Where(one => one.Verbs.Contains("create") && one.Kind.Group != "apiextensions.k8s.io").Select(one => one.Kind);
        var missing = kinds.Where(kind => Read(kind.ApiVersion, kind.Kind, new ProtoMessage()) is null).Select(kind => $"{kind.ApiVersion} {kind.Kind}");

        Assert.Empty(missing);
    }

    [Theory]
    [InlineData("apps/v1beta1", "Deployment")]
    [InlineData("example.com/v1", "Widget")]
    [InlineData("", "")]
    [InlineData("v1", "ContainerStateTerminated/..")]
    public void A_kind_without_a_protobuf_form_is_null(string apiVersion, string kind) => Assert.Null(Read(apiVersion, kind, new ProtoMessage()));

    [Fact]
    public void Broken_and_hostile_bodies_are_refused()
    {
        var good = Body("v1", "ConfigMap", Message((1, Metadata("c"))));
        byte[][] bad =
        [
            [], "k8s"u8.ToArray(), "{}"u8.ToArray(), good[..^1], [.. good, 0xFF],
            [.. "k8s\0"u8, 0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F],
            [.. "k8s\0"u8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            [.. "k8s\0"u8, 0x0B],
            [.. "k8s\0"u8, .. Message((1, Message((1, "v1"), (2, "ConfigMap"))), (2, new ProtoMessage()), (3, "gzip")).Written],
        ];
        foreach (var body in bad)
            Assert.Throws<ProtobufException>(() => Objects.Read(body));

        var many = new ProtoMessage();
        for (var i = 0; i < 400_001; i++)
            many.Text(3, "");
        Assert.Throws<ProtobufException>(() => Objects.Read(Body("v1", "Pod", Message((2, Message((2, many)))))));
        Assert.Throws<ProtobufException>(() => Objects.Read(Body("v1", "ConfigMap", Message((1, Message((8, Message((1, int.MinValue), (2, -1)))))))));
    }

    [Fact]
    public async Task Kubectls_create_is_served()
    {
        await using var server = await SecureServer.StartAsync();
        using var admin = server.As("admin", "system:masters");
        async Task<int> PostAsync(byte[] body)
        {
            using var content = new ByteArrayContent(body);
            content.Headers.ContentType = new("application/vnd.kubernetes.protobuf");
            using var response = await admin.Http.PostAsync("/api/v1/namespaces/a/configmaps", content);
            return (int)response.StatusCode;
        }

        Assert.Equal(201, await PostAsync(Body("v1", "ConfigMap", Message((1, Metadata("c")), (2, Message((1, "k"), (2, "v")))))));
        Assert.Equal("v", (await admin.GetAsync("/api/v1/namespaces/a/configmaps/c")).Body["data"]!["k"]!.ToString());
        Assert.Equal(400, await PostAsync("nonsense"u8.ToArray()));
        Assert.Equal(400, await PostAsync(Body("v1", "Secret", Message((1, Metadata("c"))))));
        Assert.Equal(415, await PostAsync(Body("example.com/v1", "Widget", new ProtoMessage())));
    }
}
