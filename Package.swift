// swift-tools-version: 6.1
import PackageDescription

// Wasmtime's shared library is put there by `make bootstrap`; see ARCHITECTURE.md, "Dependencies".
let wasmtimeLibraries = Context.packageDirectory + "/.wasmtime/lib"

#if os(macOS)
  let searchPaths = ["@executable_path/../../../.wasmtime/lib", "@executable_path", "@executable_path/../lib"]
#else
  let searchPaths = ["$ORIGIN/../../../.wasmtime/lib", "$ORIGIN", "$ORIGIN/../lib"]
#endif

let linkWasmtime: [LinkerSetting] = [
  .unsafeFlags(["-L" + wasmtimeLibraries] + searchPaths.flatMap { ["-Xlinker", "-rpath", "-Xlinker", $0] }),
  .linkedLibrary("wasmtime"),
]

let swiftSettings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

let nio = "swift-nio"

let package = Package(
  name: "fastlike",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "fastlike", targets: ["fastlike"]),
    .library(name: "FastlikeProfile", targets: ["FastlikeProfile"]),
    .library(name: "Fastlike", targets: ["FastlikeRuntime"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
    .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: [
    .target(name: "CWasmtime", linkerSettings: linkWasmtime),
    .target(name: "CTimestamp"),
    .target(name: "CSampler"),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "Wasmtime", dependencies: ["CSampler", "CWasmtime"], swiftSettings: swiftSettings),
    .target(
      name: "ComputeABI", dependencies: ["CWasmtime", "Wasmtime"], exclude: ["Data"], swiftSettings: swiftSettings),
    .executableTarget(name: "hostcallgen", path: "Tools/hostcallgen", swiftSettings: swiftSettings),
    .target(
      name: "FastlikeProfile",
      dependencies: [
        "CTimestamp", "CZlib",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ], exclude: ["Export/Protobuf/Definitions"], swiftSettings: swiftSettings),
    .target(
      name: "FastlikeRuntime",
      dependencies: [
        "ComputeABI", "FastlikeProfile", "Wasmtime", "CTimestamp", "CZlib",
        .product(name: "NIOCore", package: nio),
        .product(name: "NIOPosix", package: nio),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "NIOTLS", package: nio),
        .product(name: "NIOHTTP2", package: "swift-nio-http2"),
        .product(name: "NIOHPACK", package: "swift-nio-http2"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "TOMLKit", package: "TOMLKit"),
        .product(name: "DequeModule", package: "swift-collections"),
      ], swiftSettings: swiftSettings),
    .target(
      name: "FastlikeServer",
      dependencies: [
        "CTimestamp", "ComputeABI", "FastlikeProfile", "FastlikeRuntime", "Wasmtime",
        .product(name: "NIOCore", package: nio),
        .product(name: "NIOPosix", package: nio),
        .product(name: "NIOHTTP1", package: nio),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "NIOTLS", package: nio),
        .product(name: "X509", package: "swift-certificates"),
        .product(name: "SwiftASN1", package: "swift-asn1"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Mustache", package: "swift-mustache"),
      ], resources: [.embedInCode("Page/Assets")], swiftSettings: swiftSettings),
    .executableTarget(
      name: "fastlike",
      dependencies: [
        "ComputeABI", "FastlikeProfile", "FastlikeRuntime", "FastlikeServer",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "NIOCore", package: nio),
        .product(name: "NIOHTTP1", package: nio),
        .product(name: "NIOPosix", package: nio),
      ], swiftSettings: swiftSettings),
    .executableTarget(
      name: "fastlike-bench",
      dependencies: [
        "CTimestamp", "ComputeABI", "FastlikeProfile", "FastlikeRuntime", "FastlikeServer", "Wasmtime",
        .product(name: "NIOCore", package: nio),
        .product(name: "NIOPosix", package: nio),
        .product(name: "NIOHTTP1", package: nio),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ], path: "Benchmarks/Sources", swiftSettings: swiftSettings),
    .testTarget(
      name: "FastlikeProfileTests",
      dependencies: [
        "FastlikeProfile", "CTimestamp", "CZlib",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ], exclude: ["Goldens"], swiftSettings: swiftSettings),
    .testTarget(name: "WasmtimeTests", dependencies: ["CWasmtime", "Wasmtime"], swiftSettings: swiftSettings),
    .testTarget(name: "ComputeABITests", dependencies: ["ComputeABI", "Wasmtime"], swiftSettings: swiftSettings),
    .testTarget(
      name: "FastlikeRuntimeTests",
      dependencies: [
        "ComputeABI", "CTimestamp", "CZlib", "FastlikeProfile", "FastlikeRuntime", "Wasmtime",
        .product(name: "NIOCore", package: nio),
        .product(name: "NIOPosix", package: nio),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "NIOHPACK", package: "swift-nio-http2"),
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: swiftSettings),
    .testTarget(
      name: "FastlikeServerTests",
      dependencies: [
        "CTimestamp", "FastlikeProfile", "FastlikeRuntime", "FastlikeServer",
        .product(name: "NIOCore", package: nio),
        .product(name: "NIOPosix", package: nio),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "NIOHPACK", package: "swift-nio-http2"),
        .product(name: "X509", package: "swift-certificates"),
        .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: swiftSettings),
    .testTarget(
      name: "FastlikeCommandTests",
      dependencies: [
        "fastlike", "FastlikeProfile", "FastlikeRuntime", "FastlikeServer",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: swiftSettings),
    .testTarget(
      name: "ConformanceTests",
      dependencies: [
        "fastlike",
        .product(name: "NIOCore", package: nio),
        .product(name: "NIOPosix", package: nio),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "NIOHTTP2", package: "swift-nio-http2"),
        .product(name: "NIOHPACK", package: "swift-nio-http2"),
      ], swiftSettings: swiftSettings),
  ],
  swiftLanguageModes: [.v6]
)
