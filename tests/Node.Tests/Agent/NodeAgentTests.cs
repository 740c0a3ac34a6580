using System.Text;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Coordination;
using Weft.Api.Streams;
using Weft.Testing;

namespace Weft.Node.Tests.Agent;

/// <summary>The agent against a real API server, with real conmon, crun and CNI. One class: they share the machine's sysctls.</summary>
[Collection("machine")]   // one at a time: sysctls are the machine's
public sealed class NodeAgentTests
{
    [Fact]
    public async Task A_pod_becomes_ready_serves_and_goes_with_its_object()
    {
        await using var node = await NodeFixture.StartAsync(101);
        await node.PodAsync("web", """
            {"containers":[{"name":"main","command":["python3","-m","http.server","8080","--directory","/usr/share/doc"],
              "readinessProbe":{"httpGet":{"path":"/","port":8080}}}]}
            """);

        var pod = await node.ReadyAsync("web");

        Assert.Equal("Running", pod.Status.Phase);
        Assert.StartsWith("10.213.101.", pod.Status.PodIP);
        Assert.Equal("BestEffort", pod.Status.QosClass);
        var container = Assert.Single(pod.Status.ContainerStatuses);
        Assert.True(container is { Ready: true, Started: true, RestartCount: 0, State.Running: not null });
        Assert.StartsWith("process://", container.ContainerID);
        using var http = new HttpClient();
        Assert.True((await http.GetAsync($"http://{pod.Status.PodIP}:8080/")).IsSuccessStatusCode);

        await node.DeleteAsync("web", grace: 1);
        await node.GoneAsync("web");
        Assert.False(Directory.Exists(Path.Combine(node.Options.DataDir, "pods", pod.Metadata.Uid!)));
        var reasons = (await node.EventsAsync("web")).Select(e => e.Reason).ToHashSet();
        Assert.Superset(new HashSet<string?> { "Created", "Started", "Killing" }, reasons);
    }

    [Fact]
    public async Task The_node_registers_with_capacity_addresses_and_a_lease()
    {
        await using var node = await NodeFixture.StartAsync(102);

        var found = await node.Client.For<Weft.Api.Core.Node>().GetAsync(new ObjectKey("", "n1"), default);

        Assert.Equal("True", found.Status.Conditions.Single(c => c.Type == "Ready").Status);
        Assert.Equal(Environment.ProcessorCount, found.Status.Capacity["cpu"].Units);
        Assert.Equal("linux", found.Metadata.Labels["kubernetes.io/os"]);
        Assert.Equal("10.213.102.0/24", found.Spec.PodCIDR);
        Assert.Equal("n1", (await node.Client.For<Lease>().GetAsync(new ObjectKey("kube-node-lease", "n1"), default)).Spec.HolderIdentity);
    }

    [Fact]
    public async Task Init_containers_run_in_order_and_a_completed_pod_succeeds()
    {
        await using var node = await NodeFixture.StartAsync(103);
        await node.PodAsync("job", """
            {"restartPolicy":"Never","volumes":[{"name":"work","emptyDir":{}}],
             "initContainers":[
              {"name":"one","command":["sh","-c","echo one >> /work/order"],"volumeMounts":[{"name":"work","mountPath":"/work"}]},
              {"name":"two","command":["sh","-c","echo two >> /work/order"],"volumeMounts":[{"name":"work","mountPath":"/work"}]}],
             "containers":[{"name":"main","command":["sh","-c","cat /work/order; echo bye > /dev/termination-log"],"volumeMounts":[{"name":"work","mountPath":"/work"}]}]}
            """);

        var pod = await node.UntilAsync("job", p => p.Status.Phase == "Succeeded", "succeeded");

        Assert.Equal("one\ntwo\n", await node.LogAsync("job"));
        Assert.All(pod.Status.InitContainerStatuses, s => Assert.Equal("Completed", s.State?.Terminated?.Reason));
        Assert.Equal("bye\n", pod.Status.ContainerStatuses[0].State?.Terminated?.Message);
        Assert.Equal("PodCompleted", pod.Status.Conditions.Single(c => c.Type == "Ready").Reason);
        await node.DeleteAsync("job");
        await node.GoneAsync("job");
    }

    [Fact]
    public async Task A_crashing_container_restarts_and_then_backs_off()
    {
        await using var node = await NodeFixture.StartAsync(104);
        await node.PodAsync("crash", """{"containers":[{"name":"main","command":["sh","-c","echo run; exit 5"],"terminationMessagePolicy":"FallbackToLogsOnError"}]}""");

        var pod = await node.UntilAsync("crash", p => p.Status.ContainerStatuses is [{ State.Waiting.Reason: "CrashLoopBackOff" }], "in back-off");

        var status = pod.Status.ContainerStatuses[0];
        Assert.True(status.RestartCount >= 1);
        Assert.Equal((5, "Error", "run\n"), (status.LastState!.Terminated!.ExitCode, status.LastState.Terminated.Reason, status.LastState.Terminated.Message));
        Assert.Equal("Running", pod.Status.Phase);
        Assert.Equal("run\n", await node.LogAsync("crash", options: new LogOptions { Previous = true }));
    }

    [Fact]
    public async Task A_failed_liveness_probe_restarts_the_container()
    {
        await using var node = await NodeFixture.StartAsync(105);
        await node.PodAsync("live", """
            {"terminationGracePeriodSeconds":1,"containers":[{"name":"main","command":["sh","-c","trap 'exit 0' TERM; touch /tmp/alive; sleep 0.5; rm /tmp/alive; while :; do sleep 0.1; done"],
             "livenessProbe":{"exec":{"command":["test","-e","/tmp/alive"]},"periodSeconds":1,"failureThreshold":1}}]}
            """);

        await node.UntilAsync("live", p => p.Status.ContainerStatuses is [{ RestartCount: >= 1 }], "restarted");

        await Eventually.TrueAsync(async () => (await node.EventsAsync("live")).Any(e => e.Reason == "Unhealthy"));
    }

    [Fact]
    public async Task Configuration_reaches_the_container_as_environment_and_as_files_that_follow_changes()
    {
        await using var node = await NodeFixture.StartAsync(106);
        await node.CreateAsync("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings","namespace":"default"},"data":{"COLOUR":"red","file.txt":"first"}}""");
        await node.CreateAsync("""{"apiVersion":"v1","kind":"Secret","metadata":{"name":"keys","namespace":"default"},"stringData":{"password":"s3cret"}}""");
        await node.PodAsync("config", """
            {"securityContext":{"fsGroup":4242},
             "volumes":[{"name":"all","projected":{"sources":[{"configMap":{"name":"settings"}},{"secret":{"name":"keys"}},
                {"serviceAccountToken":{"path":"token","expirationSeconds":600}},{"downwardAPI":{"items":[{"path":"labels","fieldRef":{"fieldPath":"metadata.labels"}}]}}]}}],
             "containers":[{"name":"main","command":["sh","-c","env | sort; id -G; ls -L /all; stat -L -c '%a %g' /all/password; wc -c < /all/token; cat /all/labels; while ! grep -q second /all/file.txt; do sleep 0.05; done; echo; echo changed"],
               "env":[{"name":"COPY","value":"$(COLOUR)-$(POD)-$$(X)"},{"name":"PASS","valueFrom":{"secretKeyRef":{"name":"keys","key":"password"}}}],
               "envFrom":[{"configMapRef":{"name":"settings"}}],
               "volumeMounts":[{"name":"all","mountPath":"/all"},{"name":"all","mountPath":"/single","subPath":"file.txt"}]}],"restartPolicy":"Never"}
            """.Replace("\"env\":[", "\"env\":[{\"name\":\"POD\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.name\"}}},"), """{"labels":{"app":"x"}}""");
        await node.UntilAsync("config", p => p.Status.ContainerStatuses is [{ State.Running: not null }], "running");

        await node.Client.For<Weft.Api.Core.ConfigMap>().PatchAsync(
            new ObjectKey("default", "settings"), Weft.Client.Patch.Merge(new() { ["data"] = new System.Text.Json.Nodes.JsonObject { ["file.txt"] = "second" } }), default);
        await node.UntilAsync("config", p => p.Status.Phase == "Succeeded", "succeeded");

        var log = await node.LogAsync("config");
        Assert.Contains("COPY=red-config-$(X)", log);
        Assert.Contains("PASS=s3cret", log);
        Assert.Contains("KUBERNETES_SERVICE_HOST=10.213.106.1", log);
        Assert.Contains("65534 4242", log);
        Assert.Contains("644 4242", log);
        Assert.Contains("app=\"x\"", log);
        Assert.EndsWith("changed\n", log);
    }

    [Fact]
    public async Task Running_pods_are_adopted_after_the_agent_was_killed()
    {
        await using var node = await NodeFixture.StartAsync(107);
        await node.PodAsync("stay", """{"containers":[{"name":"main","command":["sleep","1000"]}]}""");
        await node.PodAsync("deleted", """{"containers":[{"name":"main","command":["sleep","1000"]}]}""");
        var before = await node.ReadyAsync("stay");
        await node.ReadyAsync("deleted");

        await node.Agent.DisposeAsync();
        await node.DeleteAsync("deleted", grace: 0);
        await node.StartAgentAsync();

        await Eventually.TrueAsync(() => Directory.GetDirectories(Path.Combine(node.Options.RunDir, "c")).Length == 1);
        var after = await node.ReadyAsync("stay");
        Assert.Equal(before.Status.ContainerStatuses[0].ContainerID, after.Status.ContainerStatuses[0].ContainerID);
        Assert.Equal(0, after.Status.ContainerStatuses[0].RestartCount);
        Assert.Equal(before.Status.PodIP, after.Status.PodIP);
        using var output = new MemoryStream();
        Assert.Equal(0, await node.Agent.Streams.ExecAsync(new("default", "stay", after.Metadata.Uid!, "main"), ["echo", "hi"], new(null, output, null, false, null), default));
        Assert.Equal("hi\n", Encoding.UTF8.GetString(output.ToArray()));
    }

    [Fact]
    public async Task A_pod_whose_service_account_is_gone_runs_on_and_can_be_deleted()
    {
        await using var node = await NodeFixture.StartAsync(114);
        await node.CreateAsync("""{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"robot","namespace":"default"}}""");
        await node.PodAsync("orphan", """
            {"serviceAccountName":"robot","volumes":[{"name":"t","projected":{"sources":[{"serviceAccountToken":{"path":"token"}}]}}],
             "containers":[{"name":"main","command":["sleep","1000"],"volumeMounts":[{"name":"t","mountPath":"/t"}]}]}
            """);
        await node.ReadyAsync("orphan");

        await node.Client.For<ServiceAccount>().DeleteAsync(new ObjectKey("default", "robot"), default);
        await node.RestartAgentAsync();

        await Eventually.TrueAsync(async () => (await node.EventsAsync("orphan")).Any(e => e.Reason == "FailedMount"), "the failure is told");
        Assert.True(NodeFixture.IsReady((await node.FindAsync("orphan"))!));
        await node.DeleteAsync("orphan", grace: 0);
        await node.GoneAsync("orphan");
        await Eventually.TrueAsync(() => Directory.GetDirectories(Path.Combine(node.Options.RunDir, "c")).Length == 0);
    }

    [Fact]
    public async Task An_orphan_that_cannot_be_removed_does_not_keep_the_agent_from_starting()
    {
        await using var node = await NodeFixture.StartAsync(115);
        await node.Agent.DisposeAsync();
        var pods = Path.Combine(node.Options.DataDir, "pods");
        Directory.CreateDirectory(Path.Combine(pods, "u2"));
        // Not even root deletes an immutable file.
        var stuck = Path.Combine(pods, "u1");
        Directory.CreateDirectory(stuck);
        var file = Path.Combine(stuck, "f");
        await File.WriteAllTextAsync(file, "");
        Assert.Equal(0, await ChattrAsync("+i", file));
        try
        {
            await node.StartAgentAsync();

            Assert.True(Directory.Exists(stuck));
            Assert.False(Directory.Exists(Path.Combine(pods, "u2")));
        }
        finally
        {
            Assert.Equal(0, await ChattrAsync("-i", file));
        }

        static async Task<int> ChattrAsync(string flag, string path)
        {
            using var chattr = System.Diagnostics.Process.Start("chattr", [flag, path]);
            await chattr.WaitForExitAsync();
            return chattr.ExitCode;
        }
    }

    [Fact]
    public async Task Hooks_run_and_a_stop_signal_gives_time_to_end()
    {
        await using var node = await NodeFixture.StartAsync(108);
        var share = Path.Combine(node.Options.DataDir, "..", "share");
        Directory.CreateDirectory(share);
        File.SetUnixFileMode(share, (UnixFileMode)0b111_111_111);
        share = Path.GetFullPath(share);
        await node.PodAsync("hooks", """
            {"volumes":[{"name":"s","hostPath":{"path":"SHARE","type":"Directory"}}],
             "containers":[{"name":"main","command":["sh","-c","trap 'echo term >> /s/order; exit 0' TERM; while :; do sleep 0.02; done"],"volumeMounts":[{"name":"s","mountPath":"/s"}],
               "lifecycle":{"postStart":{"exec":{"command":["sh","-c","echo start >> /s/order"]}},"preStop":{"exec":{"command":["sh","-c","echo stop >> /s/order"]}}}}]}
            """.Replace("SHARE", share));
        await node.ReadyAsync("hooks");

        await node.DeleteAsync("hooks", grace: 30);
        await node.GoneAsync("hooks");

        Assert.Equal("start\nstop\nterm\n", await File.ReadAllTextAsync(Path.Combine(share, "order")));
    }

    [Fact]
    public async Task A_pod_of_another_runtime_waits_and_says_what_to_do()
    {
        await using var node = await NodeFixture.StartAsync(109);
        await node.PodAsync("image", """{"runtimeClassName":null,"containers":[{"name":"main","image":"nginx"}]}""");

        var pod = await node.UntilAsync("image", p => p.Status.ContainerStatuses is [{ State.Waiting: not null }], "waiting");

        Assert.Equal("Pending", pod.Status.Phase);
        Assert.Contains("no container runtime", pod.Status.ContainerStatuses[0].State!.Waiting!.Message);
        await node.DeleteAsync("image");
        await node.GoneAsync("image");
    }

    [Fact]
    public async Task The_handler_of_a_runtime_class_decides_and_not_its_name()
    {
        await using var node = await NodeFixture.StartAsync(113);
        await node.CreateAsync("""{"apiVersion":"node.k8s.io/v1","kind":"RuntimeClass","metadata":{"name":"mine"},"handler":"process"}""");

        await node.PodAsync("early", """{"runtimeClassName":"mine","containers":[{"name":"main","command":["sleep","1000"]}]}""");

        await node.ReadyAsync("early");
    }

    [Fact]
    public async Task A_sysctl_that_a_pod_may_not_set_fails_the_pod()
    {
        await using var node = await NodeFixture.StartAsync(114);
        await node.PodAsync("tuned", """{"securityContext":{"sysctls":[{"name":"kernel.msgmax","value":"1"}]},"containers":[{"name":"main","command":["sleep","1000"]}]}""");

        var pod = await node.UntilAsync("tuned", p => p.Status.Phase == "Failed", "failed");

        Assert.Equal("SysctlForbidden", pod.Status.Reason);
        await node.DeleteAsync("tuned");
        await node.GoneAsync("tuned");
    }

    [Fact]
    public async Task What_is_wrong_with_a_pod_stands_in_its_status()
    {
        await using var node = await NodeFixture.StartAsync(110);
        await node.PodAsync("none", """{"containers":[{"name":"main"}]}""");
        await node.PodAsync("missing", """{"containers":[{"name":"main","command":["sleep","1"],"env":[{"name":"X","valueFrom":{"configMapKeyRef":{"name":"absent","key":"k"}}}]}]}""");
        await node.PodAsync("unknown", """{"restartPolicy":"Never","containers":[{"name":"main","command":["no-such-program"]}]}""");

        var none = await node.UntilAsync("none", p => p.Status.ContainerStatuses is [{ State.Waiting.Reason: "CreateContainerConfigError" }], "config error");
        Assert.Contains("has no command", none.Status.ContainerStatuses[0].State!.Waiting!.Message);
        var missing = await node.UntilAsync("missing", p => p.Status.ContainerStatuses is [{ State.Waiting.Reason: "CreateContainerConfigError" }], "config error");
        Assert.Equal("configmap \"absent\" not found", missing.Status.ContainerStatuses[0].State!.Waiting!.Message);
        var unknown = await node.UntilAsync("unknown", p => p.Status.Phase == "Failed", "failed");
        Assert.Equal((128, "StartError"), (unknown.Status.ContainerStatuses[0].State!.Terminated!.ExitCode, unknown.Status.ContainerStatuses[0].State!.Terminated!.Reason));

        await node.CreateAsync("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"absent","namespace":"default"},"data":{"k":"v"}}""");
        await node.UntilAsync("missing", p => p.Status.ContainerStatuses is [{ RestartCount: >= 0, State: not { Waiting.Reason: "CreateContainerConfigError" } }], "started once the config map is there");
    }

    [Fact]
    public async Task Logs_can_be_followed_to_the_end_with_tail_and_limits()
    {
        await using var node = await NodeFixture.StartAsync(111);
        await node.PodAsync("log", """{"restartPolicy":"Never","containers":[{"name":"main","command":["sh","-c","for i in 1 2 3 4 5; do echo line $i; sleep 0.05; done"]}]}""");
        await node.UntilAsync("log", p => p.Status.ContainerStatuses is [{ State: { Waiting: null } }], "started");

        Assert.Equal("line 1\nline 2\nline 3\nline 4\nline 5\n", await node.LogAsync("log", options: new LogOptions { Follow = true }));

        Assert.Equal("line 4\nline 5\n", await node.LogAsync("log", options: new LogOptions { TailLines = 2 }));
        Assert.Equal("lin", await node.LogAsync("log", options: new LogOptions { LimitBytes = 3 }));
        Assert.Matches("^20\\d\\d-.*T.* line 1\n", await node.LogAsync("log", options: new LogOptions { Timestamps = true }));
        Assert.Equal("", await node.LogAsync("log", options: new LogOptions { Since = TimeProvider.System.GetUtcNow().AddHours(1) }));
    }

    [Fact]
    public async Task Cleanup_takes_everything_away_while_pods_run_and_without_an_agent()
    {
        await using var node = await NodeFixture.StartAsync(112);
        await node.PodAsync("left", """{"containers":[{"name":"main","command":["sleep","1000"]},{"name":"other","command":["sleep","1000"]}]}""");
        await node.ReadyAsync("left");
        // The fixture stops the agent, cleans up and compares the machine with what it was before.
    }
}
