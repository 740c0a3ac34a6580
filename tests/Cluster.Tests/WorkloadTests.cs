using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests;

/// <summary>Stateful sets, daemon sets, jobs, budgets and claims as a daily user of kubectl meets them.</summary>
[Collection(ClusterCollection.Name)]
public sealed class WorkloadTests(WeftCluster cluster)
{
    private const string Sleeps = "[/bin/sleep, \"100000\"]";

    public static TheoryData<string> Kubectls => [.. WeftCluster.Kubectls];

    private static string Newest => WeftCluster.Kubectls[0];

    private static string PodSpec(string command, string more = "", string container = "") =>
        $"{{runtimeClassName: process, terminationGracePeriodSeconds: 1, {more} containers: [{{name: main, image: host, command: {command} {container}}}]}}";

    [Theory, MemberData(nameof(Kubectls))]
    public async Task A_stateful_set_keeps_the_data_of_each_pod_and_rolls_back(string kubectl)
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, kubectl);
        await ns.ApplyAsync($$$"""
            apiVersion: apps/v1
            kind: StatefulSet
            metadata: {name: db}
            spec:
              serviceName: db
              replicas: 2
              selector: {matchLabels: {app: db}}
              template:
                metadata: {labels: {app: db}}
                spec: {{{PodSpec("[/bin/sh, -c, \"echo $HOSTNAME >> /data/names; exec sleep 100000\"]", container: ", volumeMounts: [{name: data, mountPath: /data}]")}}}
              volumeClaimTemplates:
              - metadata: {name: data}
                spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi} } }
            """);
        await RolledOutAsync();
        var uid = await ns.GetAsync("{.metadata.uid}", "pod/db-0");

        (await ns.KubectlAsync("delete", "pod", "db-0", "--timeout=60s")).Succeeded();
        await ns.EventuallyAsync("db-0 is back", async () => await ReadyUidAsync() is { Length: > 0 } now && now != uid);
        Assert.Equal("db-0\ndb-0\n", (await ns.KubectlAsync("exec", "db-0", "--", "cat", "/data/names")).Succeeded());

        (await ns.KubectlAsync("set", "env", "statefulset/db", "COLOUR=green")).Succeeded();
        await RolledOutAsync();
        Assert.Equal("green green", await ns.GetAsync("{.items[*].spec.containers[0].env[?(@.name=='COLOUR')].value}", "pods", "-l", "app=db"));
        (await ns.KubectlAsync("rollout", "undo", "statefulset/db")).Succeeded();
        await RolledOutAsync();
        Assert.Contains("3", (await ns.KubectlAsync("rollout", "history", "statefulset/db")).Succeeded(), StringComparison.Ordinal);

        (await ns.KubectlAsync("scale", "statefulset/db", "--replicas=1")).Succeeded();
        await ns.EventuallyAsync("db-1 goes", async () => await ns.GetAsync("{.items[*].metadata.name}", "pods", "-l", "app=db") == "db-0");
        Assert.Equal("data-db-0 data-db-1", await ns.GetAsync("{.items[*].metadata.name}", "pvc"));
        Assert.Equal("Bound Bound", await ns.GetAsync("{.items[*].status.phase}", "pvc"));

        async Task RolledOutAsync() => (await ns.KubectlAsync("rollout", "status", "statefulset/db", "--timeout=120s")).Succeeded();
        async Task<string> ReadyUidAsync() => await ns.GetAsync("{.items[?(@.status.containerStatuses[0].ready==true)].metadata.uid}", "pods", "--field-selector=metadata.name=db-0");
    }

    [Theory, MemberData(nameof(Kubectls))]
    public async Task A_daemon_set_rolls_out_and_back_and_takes_its_orphans_again(string kubectl)
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, kubectl);
        var manifest = $$$"""
            apiVersion: apps/v1
            kind: DaemonSet
            metadata: {name: agent}
            spec:
              selector: {matchLabels: {app: agent}}
              template:
                metadata: {labels: {app: agent}}
                spec: {{{PodSpec(Sleeps)}}}
            """;
        await ns.ApplyAsync(manifest);
        await RolledOutAsync();
        (await ns.KubectlAsync("set", "env", "daemonset/agent", "COLOUR=green")).Succeeded();
        await RolledOutAsync();
        (await ns.KubectlAsync("rollout", "undo", "daemonset/agent")).Succeeded();
        await RolledOutAsync();
        Assert.Contains("3", (await ns.KubectlAsync("rollout", "history", "daemonset/agent")).Succeeded(), StringComparison.Ordinal);
        await ns.EventuallyAsync("the old pod is gone", async () => (await PodsAsync()).Split(' ').Length == 1);
        var pod = await PodsAsync();

        (await ns.KubectlAsync("delete", "daemonset", "agent", "--cascade=orphan")).Succeeded();
        Assert.Equal(pod, await PodsAsync());
        await ns.ApplyAsync(manifest);
        await RolledOutAsync();
        Assert.Equal(pod, await PodsAsync());
        (await ns.KubectlAsync("delete", "daemonset", "agent", "--cascade=foreground", "--timeout=60s")).Succeeded();
        Assert.Equal("", await PodsAsync());

        async Task RolledOutAsync() => (await ns.KubectlAsync("rollout", "status", "daemonset/agent", "--timeout=120s")).Succeeded();
        Task<string> PodsAsync() => ns.GetAsync("{.items[*].metadata.uid}", "pods", "-l", "app=agent");
    }

    [Fact]
    public async Task Jobs_end_as_they_were_told_to()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, Newest);
        await ns.ApplyAsync(Job("indexed", "completions: 3, parallelism: 2, completionMode: Indexed", "[/bin/sh, -c, \"echo index $JOB_COMPLETION_INDEX\"]") + Job("fails", "backoffLimit: 0", "[/bin/false]")
            + Job("slow", "activeDeadlineSeconds: 2", Sleeps) + Job("brief", "ttlSecondsAfterFinished: 1", "[/bin/true]") + Job("held", "suspend: true", "[/bin/true]"));

        await EndsAsync("indexed", "Complete");
        Assert.Equal("0-2", await ns.GetAsync("{.status.completedIndexes}", "job/indexed"));
        Assert.Equal("index 2\n", (await ns.KubectlAsync("logs", "-l", "batch.kubernetes.io/job-completion-index=2")).Succeeded());
        await EndsAsync("fails", "Failed");
        Assert.Equal("BackoffLimitExceeded", await ns.GetAsync("{.status.conditions[?(@.type=='Failed')].reason}", "job/fails"));
        await EndsAsync("slow", "Failed");
        Assert.Equal("DeadlineExceeded", await ns.GetAsync("{.status.conditions[?(@.type=='Failed')].reason}", "job/slow"));
        await ns.EventuallyAsync("its time after the end is over", async () => await ns.GetAsync("{.items[*].metadata.name}", "jobs", "--field-selector=metadata.name=brief") == "");
        Assert.Equal("", await ns.GetAsync("{.items[*].metadata.name}", "pods", "-l", "job-name=held"));
        (await ns.KubectlAsync("patch", "job", "held", "--type=merge", "-p", """{"spec":{"suspend":false}}""")).Succeeded();
        await EndsAsync("held", "Complete");

        async Task EndsAsync(string job, string how) => (await ns.KubectlAsync("wait", $"--for=condition={how}", "job/" + job, "--timeout=120s")).Succeeded();
        static string Job(string name, string spec, string command) =>
            $"apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec: {{{spec}, template: {{spec: {PodSpec(command, "restartPolicy: Never,")}}}}}\n---\n";
    }

    // A kubectl of 1.32 and newer sends these in protobuf.
    [Theory, MemberData(nameof(Kubectls))]
    public async Task Objects_of_the_new_kinds_are_created_by_command(string kubectl)
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, kubectl);
        (await ns.KubectlAsync("create", "job", "one", "--image=absent:1", "--", "true")).Succeeded();
        (await ns.KubectlAsync("create", "ingress", "front", "--rule=b.example/path*=db:80", "--class=x")).Succeeded();
        Assert.Equal("absent:1 [\"true\"]", await ns.GetAsync("{.spec.template.spec.containers[0].image} {.spec.template.spec.containers[0].command}", "job/one"));
        Assert.Equal("/path Prefix 80", await ns.GetAsync("{.spec.rules[0].http.paths[0].path} {.spec.rules[0].http.paths[0].pathType} {.spec.rules[0].http.paths[0].backend.service.port.number}", "ingress/front"));
        if (kubectl != Newest || (await ns.KubectlAsync("create", "token", "--help")).ExitCode != 0)
            return; // 1.20 asks for batch/v1beta1 and policy/v1beta1, which Kubernetes 1.25 has dropped

        (await ns.KubectlAsync("create", "cronjob", "hourly", "--image=absent:1", "--schedule=@hourly", "--", "date")).Succeeded();
        (await ns.KubectlAsync("create", "job", "now", "--from=cronjob/hourly")).Succeeded();
        (await ns.KubectlAsync("create", "poddisruptionbudget", "half", "--selector=app=a", "--max-unavailable=50%")).Succeeded();
        Assert.Equal("hourly", await ns.GetAsync("{.metadata.ownerReferences[*].name}", "job/now"));
        Assert.Equal("50%", await ns.GetAsync("{.spec.maxUnavailable}", "pdb/half"));
        var described = (await ns.KubectlAsync("describe", "cronjob,pdb,ingress")).Succeeded();
        foreach (var expected in (string[])["@hourly", "Max unavailable:  50%", "b.example"])
            Assert.Contains(expected, described, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Kubectls))]
    public async Task A_drain_waits_for_the_budget_and_says_so_and_goes_on_when_it_may(string kubectl)
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, kubectl);
        await ns.ApplyAsync($$$"""
            apiVersion: v1
            kind: Pod
            metadata: {name: web, labels: {app: {{{ns.Name}}} } }
            spec: {{{PodSpec(Sleeps)}}}
            ---
            apiVersion: policy/v1
            kind: PodDisruptionBudget
            metadata: {name: web}
            spec: {minAvailable: 1, selector: {matchLabels: {app: {{{ns.Name}}} } } }
            """);
        (await ns.KubectlAsync("wait", "--for=condition=Ready", "pod/web", "--timeout=120s")).Succeeded();
        await ns.EventuallyAsync("the budget has seen the pod", async () => await ns.GetAsync("{.status.currentHealthy}", "pdb/web") == "1");
        var node = await ns.GetAsync("{.spec.nodeName}", "pod/web");
        try
        {
            var refused = await DrainAsync("4s");
            Assert.NotEqual(0, refused.ExitCode);
            Assert.Contains("Cannot evict pod as it would violate the pod's disruption budget", refused.Error + refused.Output, StringComparison.Ordinal);
            Assert.Equal("true", await ns.GetAsync("{.spec.unschedulable}", "node/" + node));

            (await ns.KubectlAsync("patch", "pdb", "web", "--type=merge", "-p", """{"spec":{"minAvailable":0}}""")).Succeeded();
            (await DrainAsync("120s")).Succeeded();
            Assert.Equal("", await ns.GetAsync("{.items[*].metadata.name}", "pods"));
        }
        finally
        {
            (await ns.KubectlAsync("uncordon", node)).Succeeded();
        }

        Task<CommandResult> DrainAsync(string timeout) => ns.KubectlAsync("drain", node, $"--pod-selector=app={ns.Name}", "--force", "--ignore-daemonsets", "--timeout=" + timeout);
    }

    [Fact]
    public async Task A_claim_waits_for_its_pod_outlives_its_deletion_and_its_volume_goes_or_stays_by_the_class()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, Newest);
        await ns.ApplyAsync($$$"""
            apiVersion: storage.k8s.io/v1
            kind: StorageClass
            metadata: {name: {{{ns.Name}}}}
            provisioner: weft.dev/local
            reclaimPolicy: Retain
            ---
            apiVersion: v1
            kind: PersistentVolumeClaim
            metadata: {name: data}
            spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi} } }
            ---
            apiVersion: v1
            kind: PersistentVolumeClaim
            metadata: {name: kept}
            spec: {storageClassName: {{{ns.Name}}}, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi} } }
            """);
        await ns.EventuallyAsync("a claim of a class that does not wait is bound", async () => await PhaseAsync("kept") == "Bound");
        Assert.Equal("Pending", await PhaseAsync("data"));
        await ns.ApplyAsync($$$"""
            apiVersion: v1
            kind: Pod
            metadata: {name: user}
            spec: {{{PodSpec(Sleeps, "volumes: [{name: d, persistentVolumeClaim: {claimName: data}}],", ", volumeMounts: [{name: d, mountPath: /d}]")}}}
            """);
        (await ns.KubectlAsync("wait", "--for=condition=Ready", "pod/user", "--timeout=120s")).Succeeded();
        Assert.Equal("Bound", await PhaseAsync("data"));
        var (volume, kept) = (await ns.GetAsync("{.spec.volumeName}", "pvc/data"), await ns.GetAsync("{.spec.volumeName}", "pvc/kept"));

        (await ns.KubectlAsync("delete", "pvc", "data", "--wait=false")).Succeeded();
        Assert.NotEqual("", await ns.GetAsync("{.metadata.deletionTimestamp}", "pvc/data"));
        (await ns.KubectlAsync("exec", "user", "--", "touch", "/d/still-there")).Succeeded();
        (await ns.KubectlAsync("delete", "pod", "user", "--timeout=60s")).Succeeded();
        await ns.EventuallyAsync("the volume goes with its claim", async () => await ns.GetAsync("{.items[*].metadata.name}", "pv", "--field-selector=metadata.name=" + volume) == "");

        (await ns.KubectlAsync("delete", "pvc", "kept", "--timeout=60s")).Succeeded();
        await ns.EventuallyAsync("the volume is released", async () => await ns.GetAsync("{.status.phase}", "pv/" + kept) == "Released");
        (await ns.KubectlAsync("delete", "pv", kept, "--timeout=60s")).Succeeded();
        (await ns.KubectlAsync("delete", "storageclass", ns.Name)).Succeeded();

        Task<string> PhaseAsync(string claim) => ns.GetAsync("{.status.phase}", "pvc/" + claim);
    }
}
