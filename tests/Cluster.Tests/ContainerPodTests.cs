using Weft.Cluster.Tests.Crash;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests;

/// <summary>Pods of images: a real containerd, real images, and the kubectl that users have.</summary>
[Collection(ClusterCollection.Name)]
public sealed class ContainerPodTests(WeftCluster cluster)
{
    private static string Kubectl => WeftCluster.Kubectls[0];

    private async Task<TestNamespace> NamespaceAsync()
    {
        await ClusterImages.ImportAsync(cluster);
        return await TestNamespace.CreateAsync(cluster, Kubectl);
    }

    [Fact]
    public async Task An_ordinary_pod_runs_its_image_serves_and_goes()
    {
        await using var ns = await NamespaceAsync();
        await ns.ApplyAsync("""
            apiVersion: v1
            kind: Pod
            metadata: {name: web}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
              - name: main
                image: busybox:1
                command: [sh, -c, "echo hello > /tmp/index.html; echo started as $(id -u) in $HOSTNAME; exec httpd -f -p 8080 -h /tmp"]
                readinessProbe: {httpGet: {path: /index.html, port: 8080}, periodSeconds: 1}
            """);
        (await ns.KubectlAsync("wait", "--for=condition=Ready", "pod/web", "--timeout=120s")).Succeeded();

        Assert.Equal("started as 1234 in web\n", (await ns.KubectlAsync("logs", "web")).Succeeded());
        Assert.Equal("hello\n", (await ns.KubectlAsync("exec", "web", "--", "cat", "/tmp/index.html")).Succeeded());
        Assert.StartsWith("containerd://", await ns.GetAsync("{.status.containerStatuses[0].containerID}", "pod/web"));
        Assert.Equal(ClusterImages.Busybox, await ns.GetAsync("{.status.containerStatuses[0].image}", "pod/web"));
        Assert.NotEqual("", await ns.GetAsync("{.status.containerStatuses[0].imageID}", "pod/web"));
        using var http = new HttpClient();
        Assert.Equal("hello\n", await http.GetStringAsync(new Uri($"http://{await ns.GetAsync("{.status.podIP}", "pod/web")}:8080/index.html")));
        (await ns.KubectlAsync("delete", "pod", "web", "--timeout=60s")).Succeeded();
    }

    [Fact]
    public async Task The_security_context_is_what_the_container_gets()
    {
        await using var ns = await NamespaceAsync();
        await ns.ApplyAsync("""
            apiVersion: v1
            kind: Pod
            metadata: {name: strict}
            spec:
              restartPolicy: Never
              securityContext: {runAsUser: 1000, runAsGroup: 1001, fsGroup: 2000, supplementalGroups: [3000], runAsNonRoot: true, sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: "80"}]}
              hostAliases: [{ip: 192.0.2.9, hostnames: [far.example]}]
              volumes: [{name: e, emptyDir: {}}]
              containers:
              - name: main
                image: busybox:1
                command: [sh, -c, "id; grep CapBnd /proc/self/status; grep NoNewPrivs /proc/self/status; grep Seccomp: /proc/self/status; touch /e/x; ls -ln /e; touch /x; cat /proc/sys/net/ipv4/ip_unprivileged_port_start; cat /etc/hosts"]
                securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}
                volumeMounts: [{name: e, mountPath: /e}]
            """);
        await ns.EventuallyAsync("it ended", async () => await ns.GetAsync("{.status.phase}", "pod/strict") is "Succeeded" or "Failed");

        var log = (await ns.KubectlAsync("logs", "strict")).Succeeded();
        Assert.Contains("uid=1000 gid=1001", log);
        Assert.Contains("2000,3000", log);
        Assert.Contains("CapBnd:\t0000000000000400", log);
        Assert.Contains("NoNewPrivs:\t1", log);
        Assert.Contains("Seccomp:\t2", log);
        Assert.Matches(@"1000 +2000 .* x\n", log);
        Assert.Contains("Read-only file system", log);
        Assert.Contains("\n80\n", log);
        Assert.Contains("192.0.2.9\tfar.example", log);
    }

    [Fact]
    public async Task What_keeps_a_container_from_starting_stands_where_users_look()
    {
        await using var ns = await NamespaceAsync();
        await ns.ApplyAsync("""
            apiVersion: v1
            kind: Pod
            metadata: {name: absent}
            spec:
              containers: [{name: main, image: "127.0.0.1:9/absent:1"}]
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: never}
            spec:
              containers: [{name: main, image: "absent:1", imagePullPolicy: Never}]
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: root}
            spec:
              securityContext: {runAsNonRoot: true, runAsUser: 0}
              containers: [{name: main, image: "busybox:1"}]
            """);

        await ns.EventuallyAsync("a pull that fails backs off", async () => await Reason("absent") == "ImagePullBackOff");
        await ns.EventuallyAsync("no pull is tried", async () => await Reason("never") == "ErrImageNeverPull");
        await ns.EventuallyAsync("root is refused", async () => (await ns.GetAsync("{.status.containerStatuses[*].state.waiting.message}", "pod/root")).StartsWith("container's runAsUser breaks non-root policy", StringComparison.Ordinal));
        (await ns.KubectlAsync("delete", "pods", "--all", "--timeout=60s")).Succeeded();

        Task<string> Reason(string pod) => ns.GetAsync("{.status.containerStatuses[*].state.waiting.reason}", "pod/" + pod);
    }

    [Fact]
    public async Task Containers_share_volumes_and_processes_and_restart_by_themselves()
    {
        await using var ns = await NamespaceAsync();
        await ns.ApplyAsync("""
            apiVersion: v1
            kind: Pod
            metadata: {name: pair}
            spec:
              terminationGracePeriodSeconds: 1
              shareProcessNamespace: true
              volumes: [{name: work, emptyDir: {}}]
              initContainers:
              - {name: prepare, image: "busybox:1", command: [sh, -c, "echo ready > /work/state"], volumeMounts: [{name: work, mountPath: /work}]}
              - {name: beside, image: "busybox:1", restartPolicy: Always, command: [sleep, "100000"]}
              containers:
              - name: main
                image: busybox:1
                command: [sh, -c, "cat /work/state; if [ -e /work/again ]; then exec sleep 100000; fi; touch /work/again; exit 3"]
                volumeMounts: [{name: work, mountPath: /work}]
            """);

        await ns.EventuallyAsync("it runs again", async () => await ns.GetAsync("{.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].state.running.startedAt}", "pod/pair") is ['1', ' ', _, ..]);
        Assert.Equal("3", await ns.GetAsync("{.status.containerStatuses[0].lastState.terminated.exitCode}", "pod/pair"));
        Assert.Equal("ready\n", (await ns.KubectlAsync("logs", "pair", "-c", "main")).Succeeded());
        Assert.Contains("sleep 100000", (await ns.KubectlAsync("exec", "pair", "-c", "beside", "--", "ps")).Succeeded());
        Assert.Equal("true", await ns.GetAsync("{.status.initContainerStatuses[1].ready}", "pod/pair"));
    }

    [Fact]
    public async Task A_killed_server_restarts_no_container()
    {
        await using var ns = await NamespaceAsync();
        await ns.ApplyAsync("""
            apiVersion: v1
            kind: Pod
            metadata: {name: steady}
            spec:
              terminationGracePeriodSeconds: 1
              containers: [{name: main, image: "busybox:1", command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 1; done"]}]
            """);
        (await ns.KubectlAsync("wait", "--for=condition=Ready", "pod/steady", "--timeout=120s")).Succeeded();
        const string What = "{.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount}";
        var before = await ns.GetAsync(What, "pod/steady");
        var processes = new ClusterProcesses(cluster);
        var server = processes.Server;

        await ClusterProcesses.KillAsync(server);
        await processes.WholeAgainAsync(server);
        await ns.EventuallyAsync("exec works again", async () => (await ns.KubectlAsync("exec", "steady", "--", "id")).ExitCode == 0);

        Assert.Equal(before, await ns.GetAsync(What, "pod/steady"));
        (await ns.KubectlAsync("delete", "pod", "steady", "--timeout=60s")).Succeeded();
    }
}
