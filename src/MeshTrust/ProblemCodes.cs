namespace MeshTrust;

/// <summary>The codes that control flow compares. All codes, with cause and fix, are in docs/problems.md.</summary>
internal static class ProblemCodes
{
    public const string NotYaml = "MT0103";
    public const string KubeconfigMissing = "MT0201";
    public const string StateUnreadable = "MT2301";
    public const string KindFailed = "MT2305";
    public const string KubeadmFailed = "MT2317";
    public const string RegistriesNotConfigured = "MT2318";
    public const string EngineDiskFull = "MT2319";
    public const string ServerTimedOut = "MT3004";
    public const string ServerUntrusted = "MT3005";
    public const string Unauthorized = "MT3006";
    public const string Forbidden = "MT3007";
    public const string NotAnApiServer = "MT3011";
    public const string ServerNamedOtherwise = "MT3013";
    public const string ServerCertificateExpired = "MT3014";
    public const string ClientCertificateExpired = "MT3017";
    public const string NetworkFamilyMissing = "MT3108";
    public const string NetworkAmbiguous = "MT3115";

    /// <summary>What all codes about pools of load-balancer addresses begin with: MT4002 to MT4009.</summary>
    public const string PoolPrefix = "MT400";

    public const string WebhookCertificateLate = "MT4023";
    public const string PairNotTrusted = "MT5002";
    public const string SecretIncomplete = "MT5005";
    public const string OtherRootActive = "MT5013";
    public const string RootNotDistributed = "MT5014";
    public const string RevocationListsIncomplete = "MT5023";
    public const string MeshSettingsMismatch = "MT5024";
    public const string NoFile = "MT5120";
    public const string LiveRootDiffers = "MT5201";
    public const string FieldConflict = "MT5204";
    public const string WebhookDenied = "MT5207";
    public const string NamespaceTerminating = "MT5208";
    public const string QuotaExceeded = "MT5209";
    public const string SecretTooLarge = "MT5210";
    public const string ObjectInvalid = "MT5211";
    public const string OutageAccepted = "MT5218";
    public const string RemoteSecretMissing = "MT5303";
}
