namespace MeshTrust.Tests.Live;

/// <summary>Kubeconfigs of unreachable servers. The token and the key in them must never be shown.</summary>
internal static class BrokenKubeconfigs
{
    public const string Token = "t0kenThatNobodyMaySee0123456789";

    private const string Sound = $$"""
        apiVersion: v1
        kind: Config
        clusters:
        - name: c
          cluster: {server: "https://127.0.0.1:1"}
        users:
        - name: u
          user: {token: {{Token}}}
        contexts:
        - name: a
          context: {cluster: c, user: u}
        - name: b
          context: {cluster: c, user: u}
        """;

    public static IEnumerable<BrokenRun> All =>
    [
        Text("is empty", "", "MT0203", "MT0205"),
        Text("is a list", "- a\n- b\n", "MT0203"),
        Text("is a word", "hello\n", "MT0203"),
        Text("has a tab", "apiVersion: v1\n\tkind: Config\n", "MT0202"),
        Text("ends in a bracket", Sound + "\nextra: [a, b\n", "MT0202"),
        Text("ends in a quote", Sound + "\nextra: \"a\n", "MT0202"),
        Text("has an alias without an anchor", "y: *x\n" + Sound, "MT0202"),
        Text("nests without end", new string('[', 5000), "MT0202"),
        Text("holds NUL", Sound.Replace("kind", "ki\0nd", StringComparison.Ordinal), "MT0202"),
        Change("is a pod", "kind: Config", "kind: Pod", "MT0204"),
        Change("is of version 2", "apiVersion: v1", "apiVersion: v2", "MT0204"),
        Change("has clusters that are a map", "clusters:\n- name: c\n  cluster: {server: \"https://127.0.0.1:1\"}", "clusters: {c: d}", "MT0203"),
        Change("has a cluster without a name", "- name: c\n", "- nam: c\n", "MT0203"),
        Change("has a user that is text", "{token: " + Token + "}", Token, "MT0203"),
        Change("has a cluster twice", "clusters:\n", "clusters:\n- name: c\n  cluster: {server: \"https://127.0.0.1:2\"}\n", "MT0209"),
        Change("has a context twice", "- name: b\n", "- name: a\n", "MT0209"),
        Change("holds no context", "contexts:", "other:", "MT0205", "MT0206"),
        Change("lacks the cluster", "context: {cluster: c, user: u}", "context: {cluster: gone, user: u}", "MT0207"),
        Change("lacks the user", "context: {cluster: c, user: u}", "context: {cluster: c, user: gone}", "MT0207"),
        Change("lacks the server", "server: \"https://127.0.0.1:1\"", "x: y", "MT0212"),
        Change("has a server without a scheme", "https://127.0.0.1:1", "127.0.0.1:1", "MT3002"),
        Change("has a server of another scheme", "https://127.0.0.1:1", "ftp://127.0.0.1", "MT0212"),
        Change("has an invalid server address", "https://127.0.0.1:1", "https://:::", "MT0212"),
        Change("has a CA that is not base64", "\"https://127.0.0.1:1\"", "\"https://127.0.0.1:1\", certificate-authority-data: \"***\"", "MT0211"),
        Change("has a CA that is not PEM", "\"https://127.0.0.1:1\"", "\"https://127.0.0.1:1\", certificate-authority-data: aGVsbG8=", "MT0211"),
        Change("names a CA file that is gone", "\"https://127.0.0.1:1\"", "\"https://127.0.0.1:1\", certificate-authority: gone.pem", "MT0208"),
        Change("names a token file that is gone", "token: " + Token, "tokenFile: gone.txt", "MT0208"),
        Change("names a certificate that is gone", "token: " + Token, "client-certificate: gone.pem, client-key: gone.key", "MT0208"),
        Change("has a certificate without a key", "token: " + Token, "client-certificate-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==", "MT0213", "MT0211"),
        Change("has a key without a certificate", "token: " + Token, "client-key-data: LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCg==", "MT0224"),
        Change("has a command without its name", "token: " + Token, "exec: {apiVersion: client.authentication.k8s.io/v1}", "MT0203"),
        Change("has a command that is not installed", "token: " + Token, "exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-login, interactiveMode: Never}", "MT3016"),
        Context("is not there", "gone", "MT0206"),
        Context("has another case", "A", "MT0206"),
        Context("is a path", "../a", "MT0206"),
        new("a file is in the place of the kubeconfig directory", 5, "MT0218") { Arguments = Arguments, Environment = Variables("a", "config"), Files = s => { s.Write("config", Sound); s.Write("mesh/kubeconfig", "mine"); } },
        new("kubeconfig does not exist", 5, "MT0201") { Arguments = Arguments, Environment = Variables("a", "gone") },
        new("kubeconfig is a directory", 5, "MT0203") { Arguments = Arguments, Environment = Variables("a", "config"), Files = s => Directory.CreateDirectory(s.File("config")) },
        new("kubeconfig is larger than any", 5, "MT0203") { Arguments = Arguments, Environment = Variables("a", "config"), Files = s => s.Write("config", new string('#', 20 << 20)) },
        new("kubeconfig is bytes of no text", 5, "MT0202", "MT0203") { Arguments = Arguments, Environment = Variables("a", "config"), Files = s => File.WriteAllBytes(s.File("config"), [0xff, 0xfe, 0, 0xd8, 1, 2, 3]) },
        new("two clusters are one", 5, "MT0217", "MT3002") { Arguments = Arguments, Environment = new Dictionary<string, string?>(Variables("a", "config")) { ["CTX_CLUSTER2"] = "b" }, Files = s => s.Write("config", Sound) },
        new("nothing listens there", 5, "MT3002") { Arguments = Arguments, Environment = Variables("a", "config"), Files = s => s.Write("config", Sound) },
    ];

    private static string[] Arguments => ["--target=SetContexts", "--work-dir=mesh", "--provider=existing"];

    private static BrokenRun Text(string name, string text, params string[] ids) =>
        new($"kubeconfig {name}", 5, ids) { Arguments = Arguments, Environment = Variables("a", "config"), Files = s => s.Write("config", text) };

    private static BrokenRun Change(string name, string old, string changed, params string[] ids)
    {
        var at = Sound.IndexOf(old, StringComparison.Ordinal);
        return Text(name, Sound[..at] + changed + Sound[(at + old.Length)..], ids);
    }

    private static BrokenRun Context(string name, string context, string id) =>
        new($"context {name}", 5, id) { Arguments = Arguments, Environment = Variables(context, "config"), Files = s => s.Write("config", Sound) };

    private static Dictionary<string, string?> Variables(string context, string file) => new() { ["CTX_CLUSTER1"] = context, ["KUBECONFIG"] = "{dir}/" + file };
}
