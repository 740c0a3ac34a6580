using System.Text.Json.Nodes;
using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests;

/// <summary>What a daily user of kubectl does, with the newest kubectl of the machine and with Debian's 1.20.</summary>
[Collection(ClusterCollection.Name)]
public sealed class KubectlTests(WeftCluster cluster)
{
    public static TheoryData<string> Kubectls => [.. WeftCluster.Kubectls];

    [Theory, MemberData(nameof(Kubectls))]
    public async Task A_deployment_rolls_out_scales_and_rolls_back(string kubectl)
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, kubectl);
        Assert.Contains("deployment.apps/web created", await ns.ApplyAsync(TestNamespace.Deployment("web", 2)), StringComparison.Ordinal);
        await ns.RolledOutAsync("web");
        Assert.Contains("unchanged", await ns.ApplyAsync(TestNamespace.Deployment("web", 2)), StringComparison.Ordinal);

        (await ns.KubectlAsync("scale", "deployment/web", "--replicas=3")).Succeeded();
        await ns.RolledOutAsync("web");
        Assert.Equal("3", await ns.GetAsync("{.status.readyReplicas}", "deployment/web"));

        (await ns.KubectlAsync("set", "env", "deployment/web", "COLOUR=green")).Succeeded();
        await ns.RolledOutAsync("web");
        var history = (await ns.KubectlAsync("rollout", "history", "deployment/web")).Succeeded();
        Assert.Contains("2", history, StringComparison.Ordinal);
        Assert.Equal("green", await ns.GetAsync("{.spec.template.spec.containers[0].env[0].value}", "deployment/web"));

        (await ns.KubectlAsync("rollout", "undo", "deployment/web")).Succeeded();
        await ns.RolledOutAsync("web");
        Assert.Equal("", await ns.GetAsync("{.spec.template.spec.containers[0].env}", "deployment/web"));

        (await ns.KubectlAsync("rollout", "pause", "deployment/web")).Succeeded();
        (await ns.KubectlAsync("set", "env", "deployment/web", "COLOUR=red")).Succeeded();
        await ns.EventuallyAsync("the deployment says that it is paused", async () =>
            await ns.GetAsync("{.status.conditions[?(@.type=='Progressing')].reason}", "deployment/web") == "DeploymentPaused");
        Assert.Equal("2", await ns.GetAsync("{.items[*].metadata.name}", "replicasets") is { } sets ? sets.Split(' ').Length.ToString() : "0");
        (await ns.KubectlAsync("rollout", "resume", "deployment/web")).Succeeded();
        await ns.RolledOutAsync("web");
    }

    [Theory, MemberData(nameof(Kubectls))]
    public async Task A_quota_and_limits_are_made_described_and_held(string kubectl)
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, kubectl);
        (await ns.KubectlAsync("create", "quota", "team", "--hard=pods=1,requests.memory=1Gi,count/deployments.apps=2")).Succeeded();
        await ns.ApplyAsync("""
            apiVersion: v1
            kind: LimitRange
            metadata:
              name: limits
            spec:
              limits:
              - type: Container
                defaultRequest: {memory: 100Mi}
                max: {memory: 512Mi}
            """);
        await ns.EventuallyAsync("what is there was counted", async () => (await ns.KubectlAsync("get", "quota", "team")).Output.Contains("pods: 0/1", StringComparison.Ordinal));

        await ns.ApplyAsync(TestNamespace.Deployment("web", 2));

        await ns.EventuallyAsync("the set says what keeps its second pod away", async () =>
            (await ns.GetAsync("{.items[*].status.conditions[?(@.type=='ReplicaFailure')].message}", "replicasets")).Contains("exceeded quota: team, requested: pods=1, used: pods=1, limited: pods=1", StringComparison.Ordinal));
        var quota = (await ns.KubectlAsync("describe", "quota", "team")).Succeeded();
        Assert.Matches(@"(?m)^pods +1 +1$", quota);
        Assert.Matches(@"(?m)^requests\.memory +100Mi +1Gi$", quota);
        Assert.Matches(@"(?m)^Container +memory +- +512Mi +100Mi +512Mi +-$", (await ns.KubectlAsync("describe", "limits", "limits")).Succeeded());
        Assert.Contains("team", (await cluster.RunKubectlAsync(kubectl, null, "describe", "namespace", ns.Name)).Succeeded(), StringComparison.Ordinal);
        (await ns.KubectlAsync("delete", "deployment", "web", "--timeout=60s")).Succeeded();
        await ns.EventuallyAsync("the room is free again", async () => (await ns.KubectlAsync("get", "quota", "team")).Output.Contains("pods: 0/1", StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Kubectls))]
    public async Task Objects_are_shown_explained_labelled_and_diffed(string kubectl)
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, kubectl);
        await ns.ApplyAsync(TestNamespace.Deployment("web"));
        await ns.RolledOutAsync("web");

        Assert.Contains("AGE", (await ns.KubectlAsync("get", "pods", "-o", "wide")).Succeeded(), StringComparison.Ordinal);
        Assert.Contains("kind: Deployment", (await ns.KubectlAsync("get", "deployment", "web", "-o", "yaml")).Succeeded(), StringComparison.Ordinal);
        var described = (await ns.KubectlAsync("describe", "deployment", "web")).Succeeded();
        Assert.Contains("ScalingReplicaSet", described, StringComparison.Ordinal);
        Assert.Contains("Scheduled", (await ns.KubectlAsync("describe", "pods")).Succeeded(), StringComparison.Ordinal);
        Assert.Contains("containers", (await ns.KubectlAsync("explain", "pod.spec")).Succeeded(), StringComparison.Ordinal);
        Assert.Contains("imagePullPolicy", (await ns.KubectlAsync("explain", "deployment.spec.template.spec.containers")).Succeeded(), StringComparison.Ordinal);

        (await ns.KubectlAsync("label", "deployment", "web", "team=blue")).Succeeded();
        (await ns.KubectlAsync("annotate", "deployment", "web", "note=hello")).Succeeded();
        Assert.Equal("web", await ns.GetAsync("{.items[*].metadata.name}", "deployments", "-l", "team in (blue,green)"));
        Assert.Equal("hello", await ns.GetAsync("{.metadata.annotations.note}", "deployment/web"));

        var same = await ns.InputAsync(TestNamespace.Deployment("web"), "diff", "-f", "-");
        Assert.Equal(0, same.ExitCode);
        var different = await ns.InputAsync(TestNamespace.Deployment("web", 4), "diff", "-f", "-");
        Assert.Equal(1, different.ExitCode);
        Assert.Contains("+  replicas: 4", different.Output, StringComparison.Ordinal);
        Assert.Equal("1", await ns.GetAsync("{.spec.replicas}", "deployment/web"));
    }

    [Theory, MemberData(nameof(Kubectls))]
    public async Task Imperative_commands_work(string kubectl)
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, kubectl);
        (await ns.KubectlAsync("create", "configmap", "settings", "--from-literal=a=1")).Succeeded();
        (await ns.KubectlAsync("create", "secret", "generic", "keys", "--from-literal=k=v")).Succeeded();
        (await ns.KubectlAsync("create", "serviceaccount", "robot")).Succeeded();
        (await ns.KubectlAsync("create", "role", "reader", "--verb=get,list", "--resource=pods")).Succeeded();
        (await ns.KubectlAsync("create", "rolebinding", "robot-reads", "--role=reader", $"--serviceaccount={ns.Name}:robot")).Succeeded();
        (await ns.KubectlAsync("create", "deployment", "web", "--image=nginx", "--dry-run=server")).Succeeded();

        Assert.Equal("1", await ns.GetAsync("{.data.a}", "configmap/settings"));
        Assert.Equal("dg==", await ns.GetAsync("{.data.k}", "secret/keys"));
        Assert.Equal("", await ns.GetAsync("{.items[*].metadata.name}", "deployments"));

        var robot = $"--as=system:serviceaccount:{ns.Name}:robot";
        Assert.Equal("yes", (await ns.KubectlAsync("auth", "can-i", "list", "pods", robot)).Output.Trim());
        Assert.Equal("no", (await ns.KubectlAsync("auth", "can-i", "delete", "pods", robot)).Output.Trim());
        Assert.Equal("yes", (await ns.KubectlAsync("auth", "can-i", "*", "*")).Output.Trim());
        Assert.Contains("pods", (await ns.KubectlAsync("auth", "can-i", "--list", robot)).Succeeded(), StringComparison.Ordinal);
        var refused = await ns.KubectlAsync("get", "secrets", robot);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("Forbidden", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_that_was_created_opens_what_its_account_may()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        (await ns.KubectlAsync("create", "serviceaccount", "robot")).Succeeded();
        var made = await ns.KubectlAsync("create", "token", "robot");
        if (made.Error.Contains("unknown command", StringComparison.OrdinalIgnoreCase) || made.Error.Contains("Unexpected args", StringComparison.OrdinalIgnoreCase))
            Assert.Skip("this kubectl is older than 'create token' (1.24), and no newer one is on the machine");
        var token = made.Succeeded().Trim();

        var refused = await Shell.RunAsync(
            WeftCluster.Kubectls[0],
            ["--server", $"https://127.0.0.1:{cluster.ApiPort}", "--insecure-skip-tls-verify", "--token", token, "-n", ns.Name, "get", "pods"],
            new Dictionary<string, string> { ["KUBECONFIG"] = "/dev/null" });
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains($"system:serviceaccount:{ns.Name}:robot", refused.Error + refused.Output, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Kubectls))]
    public async Task Server_side_apply_conflicts_name_the_other_manager_and_can_be_forced(string kubectl)
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, kubectl);
        var manifest = TestNamespace.Deployment("web");
        (await ns.InputAsync(manifest, "apply", "--server-side", "--field-manager=one", "-f", "-")).Succeeded();
        var other = TestNamespace.Deployment("web", 5);
        var conflict = await ns.InputAsync(other, "apply", "--server-side", "--field-manager=two", "-f", "-");
        Assert.Equal(1, conflict.ExitCode);
        Assert.Contains("conflict with \"one\"", conflict.Error, StringComparison.Ordinal);
        Assert.Contains(".spec.replicas", conflict.Error, StringComparison.Ordinal);

        (await ns.InputAsync(other, "apply", "--server-side", "--field-manager=two", "--force-conflicts", "-f", "-")).Succeeded();
        Assert.Equal("5", await ns.GetAsync("{.spec.replicas}", "deployment/web"));
    }

    [Theory, MemberData(nameof(Kubectls))]
    public async Task Deleting_follows_the_propagation_that_was_asked_for(string kubectl)
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, kubectl);
        await ns.ApplyAsync(TestNamespace.Deployment("web"));
        await ns.RolledOutAsync("web");

        // 1.20 renamed --cascade=false to =orphan: both versions know the new form.
        (await ns.KubectlAsync("delete", "deployment", "web", "--cascade=orphan")).Succeeded();
        Assert.NotEqual("", await ns.GetAsync("{.items[*].metadata.name}", "replicasets"));
        await ns.ApplyAsync(TestNamespace.Deployment("web"));
        await ns.RolledOutAsync("web");
        Assert.Single((await ns.GetAsync("{.items[*].metadata.name}", "replicasets")).Split(' '));

        (await ns.KubectlAsync("delete", "deployment", "web", "--cascade=foreground", "--timeout=60s")).Succeeded();
        Assert.Equal("", await ns.GetAsync("{.items[*].metadata.name}", "replicasets"));

        await ns.ApplyAsync(TestNamespace.Deployment("web"));
        await ns.RolledOutAsync("web");
        (await ns.KubectlAsync("delete", "deployment", "web")).Succeeded();
        await ns.EventuallyAsync("background deletion takes replica sets and pods", async () =>
            await ns.GetAsync("{.items[*].metadata.name}", "replicasets,pods") == "");
    }

    [Theory, MemberData(nameof(Kubectls))]
    public async Task Wait_returns_when_the_condition_holds(string kubectl)
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, kubectl);
        await ns.ApplyAsync(TestNamespace.Deployment("web"));
        (await ns.KubectlAsync("wait", "--for=condition=Available", "deployment/web", "--timeout=60s")).Succeeded();
        var pod = await ns.FirstPodAsync("web");
        (await ns.KubectlAsync("delete", "deployment", "web")).Succeeded();
        (await ns.KubectlAsync("wait", "--for=delete", "pod/" + pod, "--timeout=60s")).Succeeded();
    }

    [Theory, MemberData(nameof(Kubectls))]
    public async Task A_misspelt_field_is_named(string kubectl)
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, kubectl);
        var result = await ns.InputAsync(TestNamespace.Deployment("web").Replace("replicas:", "replica:", StringComparison.Ordinal), "apply", "-f", "-");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("replica", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Edit_opens_an_editor_and_saves()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        await ns.ApplyAsync(TestNamespace.Deployment("web"));
        var result = await Shell.RunAsync(WeftCluster.Kubectls[0], ["-n", ns.Name, "edit", "deployment", "web"], new Dictionary<string, string>
        {
            ["KUBECONFIG"] = cluster.Kubeconfig, ["KUBE_EDITOR"] = "sed -i 's/replicas: 1/replicas: 2/'",
        });
        Assert.Contains("edited", result.Succeeded(), StringComparison.Ordinal);
        Assert.Equal("2", await ns.GetAsync("{.spec.replicas}", "deployment/web"));
    }

    [Fact]
    public async Task A_pod_that_cannot_run_says_why()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        await ns.ApplyAsync(TestNamespace.Deployment("greedy").Replace("        image: host", "        image: host\n        resources: {requests: {cpu: \"1000\"}}", StringComparison.Ordinal));
        await ns.EventuallyAsync("the pod is pending with a reason", async () =>
            (await ns.GetAsync("{.items[*].status.conditions[?(@.type=='PodScheduled')].message}", "pods")).Contains("Insufficient cpu", StringComparison.Ordinal));
        Assert.Contains("FailedScheduling", (await ns.KubectlAsync("describe", "pods")).Succeeded(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Discovery_and_health_answer()
    {
        Assert.Contains("ok", (await cluster.KubectlAsync("get", "--raw", "/readyz")).Succeeded(), StringComparison.Ordinal);
        Assert.Contains("deployments", (await cluster.KubectlAsync("api-resources")).Succeeded(), StringComparison.Ordinal);
        Assert.Contains("apps/v1", (await cluster.KubectlAsync("api-versions")).Succeeded(), StringComparison.Ordinal);
        var version = JsonNode.Parse((await cluster.KubectlAsync("get", "--raw", "/version")).Succeeded())!;
        Assert.Equal("1", (string?)version["major"]);
        Assert.Contains("apiserver_request_total", (await cluster.KubectlAsync("get", "--raw", "/metrics")).Succeeded(), StringComparison.Ordinal);
    }
}
