namespace MeshTrust;

/// <summary>The part of a run in which a fault happened. The value is the exit code of the process.</summary>
public enum Stage
{
    /// <summary>Arguments, environment and topology: ids MT0001 to MT0199.</summary>
    Input = 2,

    /// <summary>
    /// The machine itself (permissions, ports) and the plan for it: ids MT11xx, MT2401 to MT2409, MT3101 to MT3119, MT4002 to MT4009.
    /// A fault of the disk (MT10xx) has the stage that met it.
    /// </summary>
    Preflight = 3,

    /// <summary>Making clusters or finding them. Ids MT2xxx.</summary>
    ClusterCreation = 4,

    /// <summary>Kubeconfigs, contexts and the way to an API server. Ids MT02xx and MT3xxx.</summary>
    Contexts = 5,

    /// <summary>Load balancers. Ids MT4xxx.</summary>
    LoadBalancer = 6,

    /// <summary>Root and intermediate CAs on disk. Ids MT51xx.</summary>
    CertificateAuthority = 7,

    /// <summary>Writing the secret into a cluster. Ids MT52xx.</summary>
    Push = 8,

    /// <summary>The proof. Ids MT5001 to MT5099.</summary>
    Verification = 9,
}
