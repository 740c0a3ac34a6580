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

    /// <summary>HAProxy with one thread in front of a server: what another proxy takes for the same way, between two of them by TLS 1.3.</summary>
    /// <param name="to">The service it sends to.</param>
    /// <param name="mode">`http` or `tcp`.</param>
    public static string Relay(string name, string node, string to, string mode, bool takesTls) => Pod(name, node, name, "v1", isMeshed: false, $$"""
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=relay -keyout /tmp/r.pem.key -out /tmp/r.pem 2>/dev/null
        cat >/tmp/r.cfg <<X
        global
          nbthread 1
          maxconn 4096
        defaults
          mode {{mode}}
          timeout connect 5s
          timeout client 1h
          timeout server 1h
          {{(mode == "http" ? "http-reuse always" : "")}}
        listen l
          bind :{{Port}} {{(takesTls ? "ssl crt /tmp/r.pem" : "")}}
          server s {{to}}:80 {{(takesTls ? "" : "ssl verify none")}}
        X
        until getent hosts {{to}} >/dev/null; do sleep 0.1; done
        exec haproxy -db -f /tmp/r.cfg
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
