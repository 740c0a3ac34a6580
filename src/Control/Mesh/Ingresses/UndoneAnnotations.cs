namespace Weft.Control.Mesh.Ingresses;

/// <summary>Annotations of ingress-nginx that are not done, and what to do in their place.</summary>
internal static class UndoneAnnotations
{
    private const string Unknown = "is not known here and has no effect";

    private static readonly Dictionary<string, string> Reasons = new()
    {
        ["limit-connections"] = "connections of a client are not counted, so nothing is limited; use limit-rps",
        ["limit-rate"] = "answers are not slowed down",
        ["limit-rate-after"] = "answers are not slowed down",
        ["limit-whitelist"] = "limits hold for all clients",
        ["auth-signin"] = "a refused client gets the authorizer's own answer; let the authorizer redirect",
        ["auth-signin-redirect-param"] = "a refused client gets the authorizer's own answer; let the authorizer redirect",
        ["auth-cache-key"] = "answers of the authorizer are not kept; each request is asked about",
        ["auth-cache-duration"] = "answers of the authorizer are not kept; each request is asked about",
        ["auth-keepalive"] = "connections to the authorizer are kept as the proxy's own settings say",
        ["auth-proxy-set-headers"] = "the authorizer gets the request's own fields",
        ["custom-headers"] = "names a ConfigMap, which is not read; use weft.dev/response-headers",
        ["custom-http-errors"] = "answers of the service are passed on as they are",
        ["default-backend"] = "use spec.defaultBackend",
        ["satisfy"] = "address and credentials must both be good",
        ["proxy-buffering"] = "bodies are streamed in both directions",
        ["proxy-request-buffering"] = "bodies are streamed in both directions",
        ["proxy-buffer-size"] = "bodies are streamed in both directions",
        ["proxy-buffers-number"] = "bodies are streamed in both directions",
        ["proxy-max-temp-file-size"] = "nothing is written to files",
        ["client-body-buffer-size"] = "bodies are streamed in both directions",
        ["proxy-next-upstream"] = "what did not reach the service is tried again twice; use a VirtualService with retries",
        ["proxy-next-upstream-tries"] = "what did not reach the service is tried again twice; use a VirtualService with retries",
        ["proxy-next-upstream-timeout"] = "what did not reach the service is tried again twice; use a VirtualService with retries",
        ["proxy-http-version"] = "the version towards the service follows from backend-protocol",
        ["proxy-cookie-domain"] = "cookies of the service are passed on as they are",
        ["proxy-cookie-path"] = "cookies of the service are passed on as they are",
        ["proxy-redirect-from"] = "Location fields are passed on as they are",
        ["proxy-redirect-to"] = "Location fields are passed on as they are",
        ["proxy-ssl-secret"] = "no certificate is shown to the service; use a DestinationRule with tls",
        ["proxy-ssl-verify"] = "the service's certificate is not checked; use a DestinationRule with tls",
        ["ssl-passthrough"] = "use a Gateway with the mode PASSTHROUGH",
        ["ssl-ciphers"] = "the cipher suites are those of the system's TLS library",
        ["ssl-prefer-server-ciphers"] = "the cipher suites are those of the system's TLS library",
        ["session-cookie-samesite"] = "the cookie has SameSite=Lax",
        ["session-cookie-secure"] = "the cookie is Secure where the request came by https, and not otherwise",
        ["session-cookie-domain"] = "the cookie is for the host alone",
        ["session-cookie-change-on-failure"] = "a client whose endpoint is gone is sent to another",
        ["affinity-mode"] = "endpoints are chosen by the cookie's hash; when endpoints change, few clients move",
        ["affinity-canary-behavior"] = "a client may get the one or the other with each request",
        ["upstream-hash-by-subset"] = "a hash chooses one endpoint",
        ["enable-modsecurity"] = "requests are not looked through by rules of a firewall",
        ["enable-owasp-core-rules"] = "requests are not looked through by rules of a firewall",
        ["modsecurity-snippet"] = "requests are not looked through by rules of a firewall",
        ["enable-opentelemetry"] = "traces are as the proxy's own settings say",
        ["enable-access-log"] = "access logs are as the proxy's own settings say",
        ["enable-rewrite-log"] = "there is none",
        ["mirror-target"] = "use a VirtualService with mirrors",
        ["mirror-request-body"] = "use a VirtualService with mirrors",
        ["service-upstream"] = "endpoints are chosen here, for each request",
        ["connection-proxy-header"] = "what frames messages is the proxy's own",
        ["http2-push-preload"] = "browsers have given up server push",
        ["stream-snippet"] = "is a piece of another program's configuration and is not taken",
    };

    public static string Why(string name) => Reasons.TryGetValue(name, out var why) ? $"is not done: {why}" : Unknown;
}
