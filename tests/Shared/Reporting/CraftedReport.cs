using System.Security.Cryptography;
using System.Text;
using MeshTrust.Checks;
using MeshTrust.Verification;

namespace MeshTrust.Tests.Reporting;

/// <summary>Reports with fixed dates and names, for the tests of what they look like.</summary>
internal static class CraftedReport
{
    public const string OverrideOfDirection = "\u202Enur\u202C";

    public static readonly DateTimeOffset At = new(2027, 3, 14, 9, 26, 53, TimeSpan.Zero);

    private static readonly CertificateSummary RootA = Certificate("O=Istio, CN=Root CA", -120, 3530);
    private static readonly CertificateSummary RootB = Certificate("O=Istio, CN=Root CA 2027", -2, 3648);

    /// <summary>Two clusters, each in its own network; everything is right, and both istiods agree.</summary>
    public static TrustReport Sound()
    {
        ClusterReport[] clusters = [Cluster("east", "us-east", RootA), Cluster("west", "us-west", RootA)];
        return Report(clusters, (_, _) => null) with
        {
            Live = new LiveMesh(
                [.. clusters.Select(c => new IstiodReport(c.Name, "", $"istiod-5d8c7b9f6-{c.Name[..2]}x7k", c.Intermediate, true, null))],
                Matrix(clusters, (_, _) => null, "4 issued certificates verified with the roots that workloads hold.")),
            Next = ["Use the clusters: source .meshtrust/env.sh", "Give istiod access to the other clusters: ./build.sh --target=RemoteSecrets"],
        };
    }

    /// <summary>Three clusters in two networks: one signs under another root, one has little time left, a reload is pending.</summary>
    public static TrustReport Troubled()
    {
        var east = Cluster("east", "network1", RootA);
        var west = Cluster("west", "network1", RootA, days: 41);
        var north = Cluster("north", "network2", RootB) with { Roots = [RootB, RootA], ManagedBy = "cert-manager" };
        string? Fault(string from, string to) => from == "north" && to != "north" ? $"no root in '{to}' issued 'O=Istio, CN=Root CA 2027'" : null;
        return Report([east, west, north], Fault) with
        {
            Live = new LiveMesh(
            [
                new IstiodReport("east", "", "istiod-5d8c7b9f6-x2v9k", Certificate("O=Istio, CN=Intermediate CA, L=east, earlier", -700, 12), false, "It has not loaded the CA of the secret."),
                new IstiodReport("west", "1-28", "istiod-1-28-6f7c9d-7k2lq", west.Intermediate, true, null),
                new IstiodReport("north", "", "", null, null, "No pod of istiod is ready."),
            ],
            Matrix([east, west, north], (from, to) => from == "north" ? "?its istiod could not be asked" : null, "6 issued certificates verified; north could not be asked.")),
            Checks =
            [
                Check("MT5001", "Every cluster trusts the same root", Found("MT5001", "north", null, "The roots differ: 'north' has Root CA 2027 and Root CA, the others Root CA only.", "Push the roots of 'north' to all clusters first: ./build.sh --target=PushSecrets", Severity.Error)),
                Check("MT5002", "Workloads of every cluster are trusted in every cluster",
                    Found("MT5002", "north", "east", "A workload of 'north' is not trusted in 'east': no root in 'east' issued 'O=Istio, CN=Root CA 2027'.", "Fix what the other checks report, or reissue the intermediate.", Severity.Error),
                    Found("MT5002", "north", "west", "A workload of 'north' is not trusted in 'west': no root in 'west' issued 'O=Istio, CN=Root CA 2027'.", "Fix what the other checks report, or reissue the intermediate.", Severity.Error)),
                Check("MT5003", "The CA key matches the CA certificate"),
                Check("MT5012", "intermediates are valid for 180 more days, roots for a year", Found("MT5012", "west", null, "Intermediate 'O=Istio, CN=Intermediate CA, L=west' has 41 d left (less than 180 d, twice the maximum workload certificate lifetime).", "Run ClusterCacerts with --renew-before, then PushSecrets. The root does not change, so there is no downtime.", Severity.Warning)),
                Check("MT5014", "Revocation lists are complete") with { Outcome = CheckOutcome.NotApplicable, Note = "no cluster has revocation lists" },
            ],
            TrustStore = "certs",
            Drift = [new SecretDrift("north", "ca-cert.pem", false, "The cluster and the trust store differ. Run PushSecrets, or check what else writes the secret.")],
        };
    }

    public static TrustReport Alone() => Report([Cluster("production-eu-central", null, RootA)], (_, _) => null);

    /// <summary>One has no secret, and nothing says how the mesh behaves.</summary>
    public static TrustReport Lacking() =>
        Report([Cluster("east", null, RootA), Cluster("west", null, RootA) with { Roots = [], Intermediate = null, Chain = [], SecretVersion = null, SecretCreatedAt = null }],
            (from, to) => from == "west" || to == "west" ? "?'west' has no cacerts secret" : null) with
        {
            Checks = [Check("MT5005", "The cacerts secret has all keys of one layout", Found("MT5005", "west", null, "There is no cacerts secret.", "Run PushSecrets.", Severity.Error))],
            Live = new LiveMesh([], new TrustMatrix { Pairs = [], PathValidations = 0, Handshakes = 0, Method = "No istiod runs in any cluster." }),
        };

    /// <summary>Many clusters in four networks, of which three are broken in different ways.</summary>
    public static TrustReport Large(int count = 200)
    {
        var clusters = Enumerable.Range(1, count).Select(n => Cluster($"cluster{n:000}", $"network{((n - 1) / 50) + 1}", RootA, 420 + (n % 3 * 30))).ToList();
        clusters[16] = Cluster("cluster017", "network1", RootB);
        clusters[100] = clusters[100] with { Roots = [], Intermediate = null, Chain = [], SecretVersion = null, SecretCreatedAt = null };
        clusters[149] = Cluster("cluster150", "network3", RootA, -3);
        string? Fault(string from, string to) =>
            from == "cluster101" || to == "cluster101" ? "?'cluster101' has no cacerts secret"
            : from == "cluster150" ? "'O=Istio, CN=Intermediate CA, L=cluster150' expired 3 days ago"
            : (from == "cluster017") != (to == "cluster017") ? "no trusted root issued the chain"
            : null;
        var findings = from c in clusters where Fault(c.Name, "cluster017") is not null || c.Name == "cluster017"
                       select Found("MT5002", c.Name, "cluster017", $"A workload of '{c.Name}' is not trusted in 'cluster017': no trusted root issued the chain.", "Fix what the other checks report.", Severity.Error);
        return Report(clusters, Fault) with
        {
            Checks =
            [
                Check("MT5002", "Workloads of every cluster are trusted in every cluster", [.. findings]),
                Check("MT5005", "The cacerts secret has all keys of one layout", Found("MT5005", "cluster101", null, "There is no cacerts secret.", "Run PushSecrets.", Severity.Error)),
            ],
            Live = new LiveMesh(
                [.. clusters.Select(c => new IstiodReport(c.Name, "", $"istiod-{c.Name}", c.Intermediate, c.Intermediate is null ? null : true, null))],
                Matrix(clusters, Fault, "199 issued certificates verified.")),
        };
    }

    /// <summary>Twelve clusters under three roots: the most that is drawn one by one.</summary>
    public static TrustReport Twelve()
    {
        var rootC = Certificate("O=Example, CN=Corporate Root of the Whole Group of Companies", -4000, 200);
        var clusters = Enumerable.Range(1, 12).Select(n => Cluster(n == 5 ? "a-name-of-forty-characters-as-is-allowed" : $"cluster{n}", n < 7 ? "europe" : "asia", n == 9 ? RootB : RootA)).ToList();
        clusters[3] = clusters[3] with { Roots = [RootA, RootB, rootC] };
        clusters[10] = clusters[10] with { Roots = [rootC], Chain = [Certificate("O=Example, CN=Policy CA", -300, 150), rootC] };
        string? Fault(string from, string to) =>
            clusters.Single(c => c.Name == to).Roots.Contains(clusters.Single(c => c.Name == from).Chain[^1]) ? null : "no trusted root issued the chain";
        return Report(clusters, Fault) with
        {
            Checks = [Check("MT5001", "Every cluster trusts the same root", Found("MT5001", "cluster9", null, "The roots differ.", "Push the same roots to all clusters.", Severity.Error))],
        };
    }

    /// <summary>Texts that try to be markup, to leave an attribute, to begin lines and to turn the direction.</summary>
    public static TrustReport Hostile()
    {
        const string Evil = "<script>alert('x')</script>\"><img src=x onerror=\"alert(1)\">\r\n\u2028" + OverrideOfDirection + "&lt;\uD800";
        var root = Certificate($"CN={Evil}", -1, 10);
        var clusters = new[] { Cluster($"a{Evil}", Evil, root), Cluster($"b{Evil}", Evil, root) }.Select(c => c with { Context = Evil, Server = Evil, ManagedBy = Evil, SecretVersion = Evil }).ToList();
        return Report(clusters, (from, to) => from == to ? null : Evil) with
        {
            Mesh = Evil,
            Checks = [Check("MT5001", Evil, Found("MT5001", Evil, Evil, Evil, Evil, Severity.Error)) with { Note = Evil, Source = Evil, Unchecked = [new UncheckedCluster(Evil, Evil, true)] }],
            Live = new LiveMesh([new IstiodReport(Evil, Evil, Evil, root, false, Evil)], Matrix(clusters, (_, _) => Evil, Evil)),
            Drift = [new SecretDrift(Evil, Evil, false, Evil)],
            Next = [Evil],
        };
    }

    private static TrustReport Report(IReadOnlyList<ClusterReport> clusters, Func<string, string, string?> fault)
    {
        var count = clusters.Count * clusters.Count;
        return new TrustReport
        {
            Mesh = "shop",
            At = At,
            Clusters = clusters,
            Matrix = Matrix(clusters, fault, $"{count} cluster pairs: {count} path validations; {count} mutual TLS handshakes (TLS 1.3)."),
            Checks = [Check("MT5001", "Every cluster trusts the same root"), Check("MT5002", "Workloads of every cluster are trusted in every cluster")],
        };
    }

    private static ClusterReport Cluster(string name, string? network, CertificateSummary root, int days = 610) => new()
    {
        Name = name,
        Context = $"kind-{name}",
        Network = network,
        Server = $"https://{name}.example:6443/",
        Roots = [root],
        Chain = [root],
        Intermediate = Certificate($"O=Istio, CN=Intermediate CA, L={name}", days - 730, days),
        SecretVersion = "7",
        SecretCreatedAt = At.AddHours(-30),
    };

    private static CertificateSummary Certificate(string subject, int from, int to)
    {
        var print = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{subject} {to}")));
        return new CertificateSummary(subject, print[..32], print, At.Date.AddDays(to)) { NotBefore = At.Date.AddDays(from) };
    }

    /// <summary>A reason that starts with a question mark stands for a pair that could not be tested.</summary>
    private static TrustMatrix Matrix(IReadOnlyList<ClusterReport> clusters, Func<string, string, string?> fault, string method) => new()
    {
        Pairs =
        [
            .. from client in clusters from server in clusters let reason = fault(client.Name, server.Name)
               select new TrustPair(client.Name, server.Name, reason is null ? true : reason.StartsWith('?') ? null : false, reason?.TrimStart('?'), reason is null),
        ],
        PathValidations = clusters.Count,
        Handshakes = clusters.Count,
        TlsVersion = "TLS 1.3",
        Method = method,
    };

    private static CheckReport Check(string id, string title, params Finding[] findings) => new()
    {
        Id = id,
        Title = title,
        Source = "RFC 5280 6.1",
        Outcome = findings.Length == 0 ? CheckOutcome.Passed : findings.Max(f => f.Severity) == Severity.Error ? CheckOutcome.Failed : CheckOutcome.Warned,
        Findings = findings,
    };

    private static Finding Found(string id, string cluster, string? peer, string message, string hint, Severity severity) =>
        (Finding.OfMesh(severity, message, hint) with { Id = id }).In(cluster, peer);
}
