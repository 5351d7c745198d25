import NIOSSL

/// Certificates for origins with TLS, valid until 2120 and used nowhere but in this suite.
enum Certificates {
  /// Signs the others but ``selfSigned``.
  static let authority = """
    -----BEGIN CERTIFICATE-----
    MIIBfDCCASOgAwIBAgIBATAKBggqhkjOPQQDAjAlMSMwIQYDVQQDDBpDb25mb3Jt
    YW5jZSB0ZXN0IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAw
    MDAwMFowJTEjMCEGA1UEAwwaQ29uZm9ybWFuY2UgdGVzdCBhdXRob3JpdHkwWTAT
    BgcqhkjOPQIBBggqhkjOPQMBBwNCAAQYhHztHrNWx6pBMKfZbaAvCEC9twAVQhKe
    dAc/+LKHhyGdog6JDrGkvNRM11kWuV5y3d0uIwAjtSIJq86aPG61o0IwQDAPBgNV
    HRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIBBjAdBgNVHQ4EFgQUMo/UjNP0cT1n
    /lRxjDKfnEHmg2QwCgYIKoZIzj0EAwIDRwAwRAIgTlsbCqlOkPCyc0OjKSnlPvVL
    /9e8091aWfDARJM3LxQCICZns/Jkn1F19Ww4RWETseXsKb8IT2D6UXrooAUQ1mId
    -----END CERTIFICATE-----
    """

  /// For the name `origin.example`.
  static let origin = """
    -----BEGIN CERTIFICATE-----
    MIIBqzCCAVKgAwIBAgIBAjAKBggqhkjOPQQDAjAlMSMwIQYDVQQDDBpDb25mb3Jt
    YW5jZSB0ZXN0IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAw
    MDAwMFowGTEXMBUGA1UEAwwOb3JpZ2luLmV4YW1wbGUwWTATBgcqhkjOPQIBBggq
    hkjOPQMBBwNCAASZc1FOTgv4UZe277MzzEqDXz+Tgxn29XTIMkNUnttfexXKQrs/
    XqobSNs4H1j7OFlCeG2BNYPYdpRonHN2HNhjo30wezAJBgNVHRMEAjAAMBMGA1Ud
    JQQMMAoGCCsGAQUFBwMBMBkGA1UdEQQSMBCCDm9yaWdpbi5leGFtcGxlMB0GA1Ud
    DgQWBBSc2S1ur8NsPyEVmehPGKIBWZro2jAfBgNVHSMEGDAWgBQyj9SM0/RxPWf+
    VHGMMp+cQeaDZDAKBggqhkjOPQQDAgNHADBEAiAH8BUu9GLWNFhPZq+ofayjXqZ0
    4iNEmIfPYLgMGt1pUAIgfIaYTHD8x5Sldp/RHP8y8zFO1fwnOexGuK+xhW0VAO4=
    -----END CERTIFICATE-----
    """

  /// Its key.
  static let originKey = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgcMCvoI0mO6BSZppx
    ewaeNZmIam9C7pHDvOAnkSPgSIyhRANCAASZc1FOTgv4UZe277MzzEqDXz+Tgxn2
    9XTIMkNUnttfexXKQrs/XqobSNs4H1j7OFlCeG2BNYPYdpRonHN2HNhj
    -----END PRIVATE KEY-----
    """

  /// For a backend that asks who its client is.
  static let client = """
    -----BEGIN CERTIFICATE-----
    MIIBqzCCAVKgAwIBAgIBAzAKBggqhkjOPQQDAjAlMSMwIQYDVQQDDBpDb25mb3Jt
    YW5jZSB0ZXN0IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAw
    MDAwMFowGTEXMBUGA1UEAwwOY2xpZW50LmV4YW1wbGUwWTATBgcqhkjOPQIBBggq
    hkjOPQMBBwNCAATjtHaQEB6yyLdbw2zK5hyNcPQ6nR/KvlSTcAIeFEFptRlAWHmq
    U5B3E9qEKQ+e4dya99aTNfWN95pS1hG/2WQho30wezAJBgNVHRMEAjAAMBMGA1Ud
    JQQMMAoGCCsGAQUFBwMCMBkGA1UdEQQSMBCCDmNsaWVudC5leGFtcGxlMB0GA1Ud
    DgQWBBRPzaeLVZ04nBmIHUW3nIE9wtQ9tzAfBgNVHSMEGDAWgBQyj9SM0/RxPWf+
    VHGMMp+cQeaDZDAKBggqhkjOPQQDAgNHADBEAiAiEPxqYHfpGLVfb3MqQ/41l+Qi
    W9CCZ+ah/Wc5TMmYdQIgBkkwF9XFIqasjnHxwmrLLb95LFXYZClmsSAbUmH2qoY=
    -----END CERTIFICATE-----
    """

  /// Its key.
  static let clientKey = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgOOGhcwOktmMfp5JX
    7bkU2lgbrb03AiKi/pzFQ0HMVuqhRANCAATjtHaQEB6yyLdbw2zK5hyNcPQ6nR/K
    vlSTcAIeFEFptRlAWHmqU5B3E9qEKQ+e4dya99aTNfWN95pS1hG/2WQh
    -----END PRIVATE KEY-----
    """

  /// For the name `expired.example`, until February 2020.
  static let expired = """
    -----BEGIN CERTIFICATE-----
    MIIBrDCCAVKgAwIBAgIBBDAKBggqhkjOPQQDAjAlMSMwIQYDVQQDDBpDb25mb3Jt
    YW5jZSB0ZXN0IGF1dGhvcml0eTAeFw0yMDAxMDEwMDAwMDBaFw0yMDAyMDEwMDAw
    MDBaMBoxGDAWBgNVBAMMD2V4cGlyZWQuZXhhbXBsZTBZMBMGByqGSM49AgEGCCqG
    SM49AwEHA0IABIquXHP76hAiq3R94L8X2doI0DgXntrwVWordiiKPR5iGyDY1lSa
    fFJE+jSI8TuIuJoHx8DH6xrOXm4ngJKYIn2jfjB8MAkGA1UdEwQCMAAwEwYDVR0l
    BAwwCgYIKwYBBQUHAwEwGgYDVR0RBBMwEYIPZXhwaXJlZC5leGFtcGxlMB0GA1Ud
    DgQWBBQ8hjZF7h4ctNc9k7sFqhymPWP9EDAfBgNVHSMEGDAWgBQyj9SM0/RxPWf+
    VHGMMp+cQeaDZDAKBggqhkjOPQQDAgNIADBFAiBx7RFr93aZKd/48chFiYCQC026
    IqshazAZoZf5dwk9nQIhAIX0hAvD6w2c5doPCqKvMPIcgOWxhRLeIHoEJnkEUgfQ
    -----END CERTIFICATE-----
    """

  /// Its key.
  static let expiredKey = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgT02u1lQFHSXQ8rMo
    NNWa8biM9mVtUBatoteICTcDrRKhRANCAASKrlxz++oQIqt0feC/F9naCNA4F57a
    8FVqK3Yoij0eYhsg2NZUmnxSRPo0iPE7iLiaB8fAx+sazl5uJ4CSmCJ9
    -----END PRIVATE KEY-----
    """

  /// For the name `origin.example`, signed by nobody else.
  static let selfSigned = """
    -----BEGIN CERTIFICATE-----
    MIIBgDCCASWgAwIBAgIBBTAKBggqhkjOPQQDAjAZMRcwFQYDVQQDDA5vcmlnaW4u
    ZXhhbXBsZTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowGTEXMBUG
    A1UEAwwOb3JpZ2luLmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARO
    CfsO/80C6x6Xsydic77vVUTOT+9CQPhAvSl29bwzXWEDjwgLi9ahIVczZIqWkSNr
    1pF4JX5aqMbLvBt4La5eo1wwWjAJBgNVHRMEAjAAMBMGA1UdJQQMMAoGCCsGAQUF
    BwMBMBkGA1UdEQQSMBCCDm9yaWdpbi5leGFtcGxlMB0GA1UdDgQWBBS+tbIuHn9q
    tVhuX9o32p8lRfeDWTAKBggqhkjOPQQDAgNJADBGAiEAgwKCxVrDhuanpcaVe+B1
    O9IDIzK0590x9g/LSlCi3Y0CIQCeG7Bdjm56o/zl+fZM/YxMb5EKB6ZKKsy93zk7
    Tfmwbw==
    -----END CERTIFICATE-----
    """

  /// Its key.
  static let selfSignedKey = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgT3Ve/oeo7GPtTrKt
    IYkXuCLm8unaWvei4rDCWEenlRyhRANCAAROCfsO/80C6x6Xsydic77vVUTOT+9C
    QPhAvSl29bwzXWEDjwgLi9ahIVczZIqWkSNr1pF4JX5aqMbLvBt4La5e
    -----END PRIVATE KEY-----
    """

  /// What an origin needs to speak TLS.
  ///
  /// - Parameters:
  ///   - asksForClient: Whether clients have to show a certificate of ``authority``.
  ///   - protocols: What is offered by ALPN.
  static func context(
    _ certificate: String, _ key: String, asksForClient: Bool = false, protocols: [String] = []
  ) throws -> NIOSSLContext {
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8)).map { .certificate($0) },
      privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)))
    configuration.applicationProtocols = protocols
    if asksForClient {
      configuration.certificateVerification = .noHostnameVerification
      configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(authority.utf8)))
    }
    return try NIOSSLContext(configuration: configuration)
  }
}
