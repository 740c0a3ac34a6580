namespace Weft.Bench.Mesh;

/// <summary>What the parts of the bench put into the cluster: process pods, so that no image is needed.</summary>
internal static class Manifests
{
    /// <summary>The port of every server.</summary>
    public const int Port = 8080;

    public static string Namespace(string name, bool isMeshed = true) => $$"""
        apiVersion: v1
        kind: Namespace
        metadata: {name: {{name}}, labels: {weft.dev/mesh: {{(isMeshed ? "enabled" : "disabled")}} } }
        """;

    /// <summary>A pod that does nothing: connections of the bench come out of its network.</summary>
    public static string Idle(string name, string node, bool isMeshed = true) => Pod(name, node, "idle", "v1", isMeshed, "exec sleep 1000000");

    /// <summary>nginx with one worker, which answers with its version and does not log.</summary>
    public static string Server(string name, string node, string version = "v1", bool isMeshed = true, string app = "web", int bytes = 0) => Pod(name, node, app, version, isMeshed, $$"""
        cat >/tmp/n.conf <<X
        daemon off; worker_processes 1; pid /tmp/pid; error_log stderr;
        events { worker_connections 4096; }
        http {
          access_log off; keepalive_requests 1000000000; keepalive_timeout 1h; tcp_nodelay on;
          client_body_temp_path /tmp/b; proxy_temp_path /tmp/p; fastcgi_temp_path /tmp/f; uwsgi_temp_path /tmp/u; scgi_temp_path /tmp/s;
          server { listen {{Port}}; location / { return 200 "{{version}}{{new string('x', bytes)}}"; } }
        }
        X
        exec nginx -c /tmp/n.conf -e stderr
        """, $$"""readinessProbe: {tcpSocket: {port: {{Port}} }, periodSeconds: 1}""");

    /// <param name="protocol">`http` or `tcp`: what the mesh takes its bytes for.</param>
    public static string Service(string name, string app, string protocol = "http") => $$"""
        apiVersion: v1
        kind: Service
        metadata: {name: {{name}}, namespace: {{BenchCluster.Namespace}} }
        spec:
          selector: {app: {{app}} }
          ports: [{name: {{protocol}}, port: 80, targetPort: {{Port}} }]
        """;

    public static string Join(params IEnumerable<string> documents) => string.Join("\n---\n", documents);

    private static string Pod(string name, string node, string app, string version, bool isMeshed, string script, string more = "") => $$"""
        apiVersion: v1
        kind: Pod
        metadata:
          name: {{name}}
          namespace: {{BenchCluster.Namespace}}
          labels: {app: {{app}}, version: {{version}}, weft.dev/mesh: {{(isMeshed ? "enabled" : "disabled")}} }
        spec:
          runtimeClassName: process
          nodeName: {{node}}
          terminationGracePeriodSeconds: 1
          containers:
          - name: main
            image: host
            {{more}}
            command: [/bin/sh, -c]
            args:
            - |
        {{string.Join('\n', script.Split('\n').Select(line => "      " + line))}}
        """;
}
