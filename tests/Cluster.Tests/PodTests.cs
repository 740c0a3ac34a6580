using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests;

/// <summary>What a process pod is given, and how it lives and ends.</summary>
[Collection(ClusterCollection.Name)]
public sealed class PodTests(WeftCluster cluster)
{
    private static string Kubectl => WeftCluster.Kubectls[0];

    [Fact]
    public async Task A_pod_sees_its_configuration_and_is_nobody()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, Kubectl);
        await ns.ApplyAsync("""
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: settings}
            data: {colour: green}
            ---
            apiVersion: v1
            kind: Secret
            metadata: {name: keys}
            stringData: {key: hush}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: reader, labels: {app: reader}}
            spec:
              runtimeClassName: process
              restartPolicy: Never
              volumes:
              - name: settings
                configMap: {name: settings}
              - name: keys
                secret: {secretName: keys}
              - name: work
                emptyDir: {}
              - name: about
                downwardAPI:
                  items:
                  - path: labels
                    fieldRef: {fieldPath: metadata.labels}
              initContainers:
              - name: prepare
                image: host
                command: ["/bin/sh", "-c", "echo prepared > /work/file"]
                volumeMounts: [{name: work, mountPath: /work}]
              containers:
              - name: main
                image: host
                command: ["/bin/sh", "-c", "id -u; cat /etc/settings/colour; echo; cat /etc/keys/key; echo; cat /work/file; cat /etc/about/labels; echo; echo $COLOUR $POD $(hostname); test -s /var/run/secrets/kubernetes.io/serviceaccount/token && echo token"]
                env:
                - name: COLOUR
                  valueFrom: {configMapKeyRef: {name: settings, key: colour}}
                - name: POD
                  valueFrom: {fieldRef: {fieldPath: metadata.name}}
                volumeMounts:
                - {name: settings, mountPath: /etc/settings}
                - {name: keys, mountPath: /etc/keys}
                - {name: work, mountPath: /work}
                - {name: about, mountPath: /etc/about}
            """);
        await ns.EventuallyAsync("the pod has ended", async () => await ns.GetAsync("{.status.phase}", "pod/reader") is "Succeeded" or "Failed");
        Assert.Equal("65534\ngreen\nhush\nprepared\napp=\"reader\"\ngreen reader reader\ntoken\n", (await ns.KubectlAsync("logs", "reader")).Succeeded());
    }

    [Fact]
    public async Task A_container_that_fails_is_started_again_and_says_how_often()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, Kubectl);
        await ns.ApplyAsync(TestNamespace.Deployment("crash", 1, "echo going; exit 3"));
        await ns.EventuallyAsync("it was restarted", async () =>
            int.TryParse(await ns.GetAsync("{.items[*].status.containerStatuses[*].restartCount}", "pods"), out var count) && count >= 1);
        await ns.EventuallyAsync("it waits in back-off", async () =>
            await ns.GetAsync("{.items[*].status.containerStatuses[*].state.waiting.reason}", "pods") == "CrashLoopBackOff");
        Assert.Equal("3", await ns.GetAsync("{.items[*].status.containerStatuses[*].lastState.terminated.exitCode}", "pods"));
        var pod = await ns.FirstPodAsync("crash");
        Assert.Equal("going\n", (await ns.KubectlAsync("logs", "--previous", pod)).Succeeded());
    }

    [Fact]
    public async Task Probes_decide_readiness_and_restarts()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, Kubectl);
        await ns.ApplyAsync(TestNamespace.Deployment("probed", 1, "sleep 1; touch /tmp/ready-$HOSTNAME; exec sleep 100000", """
                    readinessProbe:
                      exec: {command: ["/bin/sh", "-c", "test -e /tmp/ready-$HOSTNAME"]}
                      periodSeconds: 1
                    livenessProbe:
                      exec: {command: ["/bin/sh", "-c", "! test -e /tmp/sick-$HOSTNAME"]}
                      periodSeconds: 1
                      failureThreshold: 1
            """));
        await ns.RolledOutAsync("probed");
        var pod = await ns.FirstPodAsync("probed");
        (await ns.KubectlAsync("exec", pod, "--", "/bin/sh", "-c", "touch /tmp/sick-$HOSTNAME; rm -f /tmp/ready-$HOSTNAME")).Succeeded();
        await ns.EventuallyAsync("liveness restarted the container", async () =>
            int.TryParse(await ns.GetAsync("{.status.containerStatuses[*].restartCount}", "pod/" + pod), out var count) && count >= 1);
        (await ns.KubectlAsync("exec", pod, "--", "/bin/sh", "-c", "rm -f /tmp/sick-$HOSTNAME /tmp/ready-$HOSTNAME")).Succeeded();
    }

    [Fact]
    public async Task A_memory_limit_holds()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, Kubectl);
        await ns.ApplyAsync(TestNamespace.Deployment("hog", 1, "tail /dev/zero").Replace("        image: host", "        image: host\n        resources: {limits: {memory: 32Mi}}", StringComparison.Ordinal));
        await ns.EventuallyAsync("it was killed for its memory", async () =>
            (await ns.GetAsync("{.items[*].status.containerStatuses[*].lastState.terminated.reason}", "pods")) == "OOMKilled"
            || (await ns.GetAsync("{.items[*].status.containerStatuses[*].state.terminated.reason}", "pods")) == "OOMKilled");
    }

    [Fact]
    public async Task Many_busy_processes_under_a_small_processor_limit_still_die_at_once()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, Kubectl);
        await ns.ApplyAsync(TestNamespace.Deployment("busy", 1, "for i in $(seq 300); do (while :; do :; done) & done; wait")
            .Replace("        image: host", "        image: host\n        resources: {limits: {cpu: 50m}}", StringComparison.Ordinal));
        await ns.RolledOutAsync("busy");
        var pod = await ns.FirstPodAsync("busy");
        (await ns.KubectlAsync("delete", "deployment", "busy")).Succeeded();
        (await ns.KubectlAsync("wait", "--for=delete", "pod/" + pod, "--timeout=60s")).Succeeded();
    }

    [Fact]
    public async Task Termination_waits_for_the_grace_and_runs_the_hook()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, Kubectl);
        var mark = Path.Combine(Path.GetTempPath(), "weft-prestop-" + ns.Name);
        try
        {
            await ns.ApplyAsync($$"""
                apiVersion: v1
                kind: Pod
                metadata: {name: polite}
                spec:
                  runtimeClassName: process
                  terminationGracePeriodSeconds: 30
                  volumes:
                  - name: out
                    hostPath: {path: {{mark}}, type: DirectoryOrCreate}
                  securityContext: {runAsUser: 0}
                  containers:
                  - name: main
                    image: host
                    command: ["/bin/sh", "-c", "trap 'echo term >> /out/log; exit 0' TERM; while :; do sleep 0.1; done"]
                    volumeMounts: [{name: out, mountPath: /out}]
                    lifecycle:
                      preStop:
                        exec: {command: ["/bin/sh", "-c", "echo hook >> /out/log"]}
                """);
            await ns.EventuallyAsync("it runs", async () => await ns.GetAsync("{.status.phase}", "pod/polite") == "Running");
            (await ns.KubectlAsync("delete", "pod", "polite", "--timeout=60s")).Succeeded();
            Assert.Equal("hook\nterm\n", await File.ReadAllTextAsync(Path.Combine(mark, "log")));
        }
        finally
        {
            if (Directory.Exists(mark))
                Directory.Delete(mark, recursive: true);
        }
    }

    [Fact]
    public async Task Without_the_use_right_no_process_pod_is_made()
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, Kubectl);
        (await ns.KubectlAsync("delete", "rolebinding", "process-user")).Succeeded();
        await ns.ApplyAsync(TestNamespace.Deployment("web"));
        await ns.EventuallyAsync("the replica set says why", async () =>
            (await ns.GetAsync("{.items[*].status.conditions[?(@.type=='ReplicaFailure')].message}", "replicasets")).Contains("runtimeclass", StringComparison.OrdinalIgnoreCase));
        Assert.Equal("", await ns.GetAsync("{.items[*].metadata.name}", "pods"));
    }

    [Fact]
    public async Task A_namespace_that_cannot_go_says_what_blocks_it()
    {
        var name = "t-" + Path.GetRandomFileName()[..8].ToLowerInvariant();
        (await cluster.KubectlAsync("create", "namespace", name)).Succeeded();
        (await cluster.RunKubectlAsync(Kubectl, """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: held, finalizers: [example.com/hold]}
            """, "-n", name, "apply", "-f", "-")).Succeeded();
        (await cluster.KubectlAsync("delete", "namespace", name, "--wait=false")).Succeeded();

        await Eventually.TrueAsync(async () =>
            (await cluster.KubectlAsync("get", "namespace", name, "-o", "jsonpath={.status.conditions[*].message}")).Output.Contains("example.com/hold", StringComparison.Ordinal));
        (await cluster.KubectlAsync("-n", name, "patch", "configmap", "held", "--type=merge", "-p", """{"metadata":{"finalizers":null}}""")).Succeeded();
        await Eventually.TrueAsync(async () => (await cluster.KubectlAsync("get", "namespace", name)).Error.Contains("NotFound", StringComparison.Ordinal));
    }
}
