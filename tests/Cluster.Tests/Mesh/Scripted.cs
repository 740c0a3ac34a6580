using System.Runtime.CompilerServices;
using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>Process pods that run a program beside these tests.</summary>
internal static class Scripted
{
    /// <summary>The programs as a ConfigMap, once for each namespace.</summary>
    public static async Task BringAsync(TestNamespace ns, params string[] scripts) =>
        (await ns.KubectlAsync(["create", "configmap", "scripts", .. scripts.Select(script => $"--from-file={Path.Combine(Folder(), script)}")])).Succeeded();

    /// <summary>A Deployment `APP-VERSION` of pods with these two labels.</summary>
    /// <param name="command">In a shell; the programs are in /scripts.</param>
    /// <param name="more">Of the pod's specification, each line as deep as `containers`.</param>
    public static string Deployment(string app, string version, string command = "exec python3 /scripts/service.py", string more = "", int port = 8080) => $$"""
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: {{app}}-{{version}} }
        spec:
          selector: {matchLabels: {app: {{app}}, version: {{version}} } }
          template:
            metadata: {labels: {app: {{app}}, version: {{version}} } }
            spec:
              runtimeClassName: process
              terminationGracePeriodSeconds: 1
              {{more}}
              volumes: [{name: scripts, configMap: {name: scripts, optional: true} }]
              containers:
              - name: main
                image: host
                command: [/bin/sh, -c, "{{command}}"]
                env:
                - {name: VERSION, value: {{version}} }
                volumeMounts: [{name: scripts, mountPath: /scripts}]
                readinessProbe: {tcpSocket: {port: {{port}} }, periodSeconds: 1}
        """;

    /// <summary>How many of a hundred answers of it are errors from now on.</summary>
    public static async Task FailAsync(TestNamespace ns, string deployment, int percent) =>
        (await ns.KubectlAsync("exec", "deploy/" + deployment, "--", "sh", "-c", $"echo {percent} > /tmp/percent")).Succeeded();

    private static string Folder([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "Scripts");
}
