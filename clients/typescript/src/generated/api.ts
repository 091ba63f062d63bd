// Written by `npm run generate` from openapi.json. Do not edit.

export interface paths {
    "/v1/orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List orders, newest first */
        get: operations["listOrders"];
        put?: never;
        /**
         * Create an order, once per Idempotency-Key
         * @description Stripe is asked by the worker; read the order, or wait for its status to leave `pending`.
         */
        post: operations["createOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read an order */
        get: operations["getOrder"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read an order's timeline, oldest first, or follow it
         * @description With `Accept: text/event-stream` the timeline is sent as server-sent events and goes on as the order does. The id of each event is the id of its line: sent as `Last-Event-ID`, the stream begins after it. A comment is sent every 15 seconds. The stream ends when the server stops or the key is revoked; connect again.
         */
        get: operations["listOrderEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}/pay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Pay again, with another payment method */
        post: operations["payOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}/capture": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Capture authorised money, all of it or a part */
        post: operations["captureOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Cancel an order that is not paid */
        post: operations["cancelOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}/refunds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read the refunds of an order, newest first */
        get: operations["listRefunds"];
        put?: never;
        /** Return all or part of what was captured */
        post: operations["createRefund"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/refunds/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a refund */
        get: operations["getRefund"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/prices/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Write a catalogue price; needs no Idempotency-Key, as writing it again changes nothing */
        put: operations["putPrice"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/prices": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read the catalogue */
        get: operations["listPrices"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the account's keys, newest first */
        get: operations["listKeys"];
        put?: never;
        /**
         * Make an API key
         * @description The key is in this answer only: it is stored as a hash, and a replay has `key: null`. Nobody can give a key more scopes than their own.
         */
        post: operations["makeKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read what is known of a key */
        get: operations["getKey"];
        put?: never;
        post?: never;
        /** Revoke a key at once; needs no Idempotency-Key, as doing it again changes nothing */
        delete: operations["revokeKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keys/{id}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a key that takes the place of this one, which goes on for a while
         * @description Idempotency keys belong to the account, so a request sent with the old key may be repeated with the new one.
         */
        post: operations["rotateKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ops/webhook-events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Stripe's events, newest first
         * @description The events of the account's orders, and those of no known order, which belong to the installation.
         */
        get: operations["listWebhookEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ops/webhook-events/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read an event with what Stripe sent, without client secrets */
        get: operations["getWebhookEvent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ops/webhook-events/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Apply all events of a type and time once more, the oldest 1000
         * @description Where more are left, `continueFrom` is the `from` of the next request. Applying an event twice changes nothing.
         */
        post: operations["replayWebhookEvents"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ops/webhook-events/{id}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Apply an event once more */
        post: operations["replayWebhookEvent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ops/operations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the open operations of the account's orders, newest first */
        get: operations["listOperations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ops/operations/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take a parked operation up again
         * @description Stripe is asked first what became of it. It is sent again, under a new key, only if that shows that nothing happened; a refund only after two complete lists, ten minutes apart.
         */
        post: operations["retryOperation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ops/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List failed jobs, the latest first; they are kept for a week */
        get: operations["listFailedJobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ops/jobs/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Queue a failed job anew
         * @description As a new job with the same payload: `replacedBy` is its id. The failed one is forgotten.
         */
        post: operations["retryJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ops/reconciliations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Compare our record with Stripe, both ways
         * @description Repairs what can be repaired, unless `dryRun` is true. The report grows while it runs: read it at Location.
         */
        post: operations["requestReconciliation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ops/reconciliations/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a reconciliation and its report */
        get: operations["getReconciliation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ops/breakers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the circuit breakers as they are now */
        get: operations["listBreakers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ops/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List what operators did with the account's keys, newest first */
        get: operations["listAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        OrderItemRequest: {
            /**
             * @description Id of a catalogue price. Excludes name and unitAmount.
             * @example tshirt
             */
            price?: string;
            /**
             * @description What the buyer reads; only with a secret key.
             * @example Gift wrap
             */
            name?: string;
            /**
             * @description Integer in Stripe's unit of the currency; only with a secret key.
             * @example 300
             */
            unitAmount?: number;
            /** @example 2 */
            quantity: number;
        };
        CustomerRequest: {
            /** @example ada@example.com */
            email?: string;
            /** @example Ada */
            name?: string;
            /**
             * @description A customer at Stripe whose saved cards may be used, as an order with saveCard showed it; only with a secret key.
             * @example cus_NffrFeUfNV2Hib
             */
            stripeCustomerId?: string;
        };
        CreateOrderRequest: {
            /**
             * @description Lowercase ISO code.
             * @example usd
             * @enum {string}
             */
            currency: "bif" | "clp" | "djf" | "gnf" | "jpy" | "kmf" | "krw" | "mga" | "pyg" | "rwf" | "vnd" | "vuv" | "xaf" | "xof" | "xpf" | "usd" | "aed" | "afn" | "all" | "amd" | "ang" | "aoa" | "ars" | "aud" | "awg" | "azn" | "bam" | "bbd" | "bdt" | "bgn" | "bmd" | "bnd" | "bob" | "brl" | "bsd" | "bwp" | "byn" | "bzd" | "cad" | "cdf" | "chf" | "cny" | "cop" | "crc" | "cve" | "czk" | "dkk" | "dop" | "dzd" | "egp" | "etb" | "eur" | "fjd" | "fkp" | "gbp" | "gel" | "gip" | "gmd" | "gtq" | "gyd" | "hkd" | "hnl" | "htg" | "huf" | "idr" | "ils" | "inr" | "jmd" | "kes" | "kgs" | "khr" | "kyd" | "kzt" | "lak" | "lbp" | "lkr" | "lrd" | "lsl" | "mad" | "mdl" | "mkd" | "mmk" | "mnt" | "mop" | "mur" | "mvr" | "mwk" | "mxn" | "myr" | "mzn" | "nad" | "ngn" | "nio" | "nok" | "npr" | "nzd" | "pab" | "pen" | "pgk" | "php" | "pkr" | "pln" | "qar" | "ron" | "rsd" | "rub" | "sar" | "sbd" | "scr" | "sek" | "sgd" | "shp" | "sle" | "sos" | "srd" | "std" | "szl" | "thb" | "tjs" | "top" | "try" | "ttd" | "twd" | "tzs" | "uah" | "uyu" | "uzs" | "wst" | "xcd" | "xcg" | "yer" | "zar" | "zmw" | "isk" | "ugx" | "bhd" | "jod" | "kwd" | "omr" | "tnd";
            items: components["schemas"]["OrderItemRequest"][];
            customer?: components["schemas"]["CustomerRequest"];
            /**
             * @description Your own name for the order, such as a cart id.
             * @example cart-4711
             */
            reference?: string;
            /**
             * @description Sent on to Stripe beside ours.
             * @example {
             *       "k": "v"
             *     }
             */
            metadata?: {
                [key: string]: string;
            };
            /**
             * @description With it the worker confirms; without it the browser does.
             * @example pm_card_visa
             */
            paymentMethod?: string;
            /**
             * @default automatic
             * @enum {string}
             */
            captureMethod?: "automatic" | "manual";
            /**
             * @description `hosted`: the buyer pays on Stripe's page, whose address is `payment.url` once the order requires a payment. Requires returnUrl, excludes paymentMethod.
             * @default elements
             * @enum {string}
             */
            checkout?: "elements" | "hosted";
            /**
             * @description Where the buyer comes back to; without it, methods that leave the page are excluded.
             * @example https://shop.example/return
             */
            returnUrl?: string;
            /**
             * @description Keeps the card with a customer at Stripe, for orders with offSession. Needs customer.email, or customer.stripeCustomerId.
             * @default false
             */
            saveCard?: boolean;
            /**
             * @description Charges a saved card while the buyer is away. Needs customer.stripeCustomerId and paymentMethod; only with a secret key.
             * @default false
             */
            offSession?: boolean;
        };
        OrderItemResponse: {
            /** @example tshirt */
            price: string | null;
            /** @example T-shirt */
            name: string;
            /** @example 2000 */
            unitAmount: number;
            /** @example 2 */
            quantity: number;
        };
        OrderCustomerResponse: {
            /** @example ada@example.com */
            email: string | null;
            /** @example Ada */
            name: string | null;
            stripeCustomerId: string | null;
        };
        NextActionResponse: {
            /** @example redirect_to_url */
            type: string;
            url: string | null;
        };
        PaymentErrorResponse: {
            /** @example card_declined */
            code: string | null;
            /** @example insufficient_funds */
            declineCode: string | null;
            /** @example Your card has insufficient funds. */
            message: string | null;
        };
        PaymentResponse: {
            /** @example pay_01kax3k6wbf3e9tmgb0jv3c2q4 */
            id: string;
            /**
             * @description Stripe's word, or `pending` before an intent exists
             * @enum {string}
             */
            status: "pending" | "requires_payment_method" | "requires_confirmation" | "requires_action" | "processing" | "requires_capture" | "succeeded" | "canceled";
            stripePaymentIntentId: string | null;
            stripePublishableKey: string | null;
            /** @description The intent's client secret, for Stripe.js */
            clientSecret: string | null;
            /** @description Where the buyer pays, as long as the page of a hosted checkout takes a payment. */
            url: string | null;
            /** @example pm_card_visa */
            paymentMethod: string | null;
            /** @enum {string|null} */
            pendingOperation: "create" | "confirm" | "capture" | "cancel" | null;
            nextAction: components["schemas"]["NextActionResponse"] | null;
            lastError: components["schemas"]["PaymentErrorResponse"] | null;
        };
        DisputeResponse: {
            /** @example needs_response */
            status: string;
            /** @example 4300 */
            amount: number;
            /** @example fraudulent */
            reason: string;
        };
        OrderResponse: {
            /** @example ord_01kax3k6wbf3e9tmgb0jv3c2q4 */
            id: string;
            /** @enum {string} */
            object: "order";
            /**
             * @example pending
             * @enum {string}
             */
            status: "pending" | "processing" | "requires_payment" | "requires_action" | "authorized" | "paid" | "partially_refunded" | "refunded" | "canceled" | "expired" | "failed";
            /**
             * @description Integer in Stripe's unit of the currency
             * @example 4300
             */
            amount: number;
            /** @example usd */
            currency: string;
            /** @example 0 */
            amountCaptured: number;
            /** @example 0 */
            amountRefunded: number;
            /** @example 0 */
            amountRefundPending: number;
            items: components["schemas"]["OrderItemResponse"][];
            customer: components["schemas"]["OrderCustomerResponse"] | null;
            /** @example cart-4711 */
            reference: string | null;
            metadata: {
                [key: string]: string;
            };
            /** @description Lets a browser read this order */
            clientSecret: string | null;
            /** @enum {string} */
            captureMethod: "automatic" | "manual";
            /** @enum {string} */
            checkout: "elements" | "hosted";
            payment: components["schemas"]["PaymentResponse"];
            dispute: components["schemas"]["DisputeResponse"] | null;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            /** Format: date-time */
            expiresAt: string;
        };
        OrderListResponse: {
            /** @enum {string} */
            object: "list";
            data: components["schemas"]["OrderResponse"][];
            hasMore: boolean;
            /** @description The value for startingAfter */
            nextCursor: string | null;
        };
        OrderEventResponse: {
            /** @example oev_01kax3k6wbf3e9tmgb0jv3c2q4 */
            id: string;
            /** @example order.paid */
            type: string;
            /** Format: date-time */
            at: string;
            /** @example operation:op_01kax3k6wbf3e9tmgb0jv3c2q4 */
            cause: string;
            data: {
                [key: string]: unknown;
            };
        };
        OrderEventsResponse: {
            /** @enum {string} */
            object: "list";
            data: components["schemas"]["OrderEventResponse"][];
            hasMore: boolean;
            nextCursor: string | null;
        };
        PayRequest: {
            /** @example pm_card_mastercard */
            paymentMethod: string;
        };
        CaptureRequest: {
            /**
             * @description Integer in Stripe's unit of the currency; without it, all that is authorised. What is left is released.
             * @example 2000
             */
            amount?: number;
        };
        CreateRefundRequest: {
            /**
             * @description Integer in Stripe's unit of the currency; without it, all that is left.
             * @example 1000
             */
            amount?: number;
            /**
             * @example requested_by_customer
             * @enum {string}
             */
            reason?: "duplicate" | "fraudulent" | "requested_by_customer";
        };
        RefundResponse: {
            /** @example ref_01kax3k6wbf3e9tmgb0jv3c2q4 */
            id: string;
            /** @enum {string} */
            object: "refund";
            /** @example ord_01kax3k6wbf3e9tmgb0jv3c2q4 */
            order: string;
            /** @example 1000 */
            amount: number;
            /** @example usd */
            currency: string;
            /** @enum {string} */
            status: "pending" | "succeeded" | "failed" | "canceled";
            reason: string | null;
            failureReason: string | null;
            stripeRefundId: string | null;
            /** Format: date-time */
            createdAt: string;
        };
        RefundListResponse: {
            /** @enum {string} */
            object: "list";
            data: components["schemas"]["RefundResponse"][];
            hasMore: boolean;
            nextCursor: string | null;
        };
        PutPriceRequest: {
            /**
             * @description As in the path, so that what was read can be written back.
             * @example tshirt
             */
            id?: string;
            /** @example T-shirt */
            name: string;
            /**
             * @example usd
             * @enum {string}
             */
            currency: "bif" | "clp" | "djf" | "gnf" | "jpy" | "kmf" | "krw" | "mga" | "pyg" | "rwf" | "vnd" | "vuv" | "xaf" | "xof" | "xpf" | "usd" | "aed" | "afn" | "all" | "amd" | "ang" | "aoa" | "ars" | "aud" | "awg" | "azn" | "bam" | "bbd" | "bdt" | "bgn" | "bmd" | "bnd" | "bob" | "brl" | "bsd" | "bwp" | "byn" | "bzd" | "cad" | "cdf" | "chf" | "cny" | "cop" | "crc" | "cve" | "czk" | "dkk" | "dop" | "dzd" | "egp" | "etb" | "eur" | "fjd" | "fkp" | "gbp" | "gel" | "gip" | "gmd" | "gtq" | "gyd" | "hkd" | "hnl" | "htg" | "huf" | "idr" | "ils" | "inr" | "jmd" | "kes" | "kgs" | "khr" | "kyd" | "kzt" | "lak" | "lbp" | "lkr" | "lrd" | "lsl" | "mad" | "mdl" | "mkd" | "mmk" | "mnt" | "mop" | "mur" | "mvr" | "mwk" | "mxn" | "myr" | "mzn" | "nad" | "ngn" | "nio" | "nok" | "npr" | "nzd" | "pab" | "pen" | "pgk" | "php" | "pkr" | "pln" | "qar" | "ron" | "rsd" | "rub" | "sar" | "sbd" | "scr" | "sek" | "sgd" | "shp" | "sle" | "sos" | "srd" | "std" | "szl" | "thb" | "tjs" | "top" | "try" | "ttd" | "twd" | "tzs" | "uah" | "uyu" | "uzs" | "wst" | "xcd" | "xcg" | "yer" | "zar" | "zmw" | "isk" | "ugx" | "bhd" | "jod" | "kwd" | "omr" | "tnd";
            /**
             * @description Integer in Stripe's unit of the currency.
             * @example 2000
             */
            unitAmount: number;
            /** @default true */
            active?: boolean;
        };
        PriceResponse: {
            /** @example tshirt */
            id: string;
            /** @example T-shirt */
            name: string;
            /** @example usd */
            currency: string;
            /** @example 2000 */
            unitAmount: number;
            /** @example true */
            active: boolean;
        };
        PriceListResponse: {
            /** @enum {string} */
            object: "list";
            data: components["schemas"]["PriceResponse"][];
            hasMore: boolean;
            nextCursor: string | null;
        };
        MakeKeyRequest: {
            /**
             * @description Of all scopes, of those named, or for browsers.
             * @example restricted
             * @enum {string}
             */
            kind: "secret" | "restricted" | "publishable";
            /**
             * @description What you will know it by.
             * @example refund desk
             */
            name: string;
            /**
             * @description Only, and always, of a restricted key.
             * @example [
             *       "orders:read"
             *     ]
             */
            scopes?: ("orders:write" | "orders:read" | "prices:write" | "prices:read" | "ops" | "keys")[];
            /**
             * @description Only, and always, of a publishable key: where its pages are.
             * @example [
             *       "https://shop.example"
             *     ]
             */
            origins?: string[];
            /**
             * @description Addresses or CIDR ranges it may be used from; without them, any. Not of a publishable key.
             * @example [
             *       "203.0.113.0/24"
             *     ]
             */
            ipRanges?: string[];
            /**
             * @description RFC 3339 instant; without it, the key does not expire.
             * @example 2030-01-01T00:00:00Z
             */
            expiresAt?: string;
        };
        MadeKeyResponse: {
            /** @example key_019ab1c2d3e47f5a8b6c7d8e9f0a1b2c */
            id: string;
            /** @enum {string} */
            object: "api_key";
            /** @enum {string} */
            kind: "secret" | "restricted" | "publishable";
            /** @enum {string} */
            mode: "test" | "live";
            /** @example refund desk */
            name: string;
            scopes: ("orders:write" | "orders:read" | "prices:write" | "prices:read" | "ops" | "keys")[];
            /** @example [] */
            origins: string[];
            /**
             * @example [
             *       "203.0.113.0/24"
             *     ]
             */
            ipRanges: string[];
            /** @description The key it took the place of */
            replaces: string | null;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            expiresAt: string | null;
            /** Format: date-time */
            revokedAt: string | null;
            /**
             * Format: date-time
             * @description Some seconds late
             */
            lastUsedAt: string | null;
            /** @description The key itself, in the first answer only */
            key: string | null;
        };
        KeyResponse: {
            /** @example key_019ab1c2d3e47f5a8b6c7d8e9f0a1b2c */
            id: string;
            /** @enum {string} */
            object: "api_key";
            /** @enum {string} */
            kind: "secret" | "restricted" | "publishable";
            /** @enum {string} */
            mode: "test" | "live";
            /** @example refund desk */
            name: string;
            scopes: ("orders:write" | "orders:read" | "prices:write" | "prices:read" | "ops" | "keys")[];
            /** @example [] */
            origins: string[];
            /**
             * @example [
             *       "203.0.113.0/24"
             *     ]
             */
            ipRanges: string[];
            /** @description The key it took the place of */
            replaces: string | null;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            expiresAt: string | null;
            /** Format: date-time */
            revokedAt: string | null;
            /**
             * Format: date-time
             * @description Some seconds late
             */
            lastUsedAt: string | null;
        };
        KeyListResponse: {
            /** @enum {string} */
            object: "list";
            data: components["schemas"]["KeyResponse"][];
            hasMore: boolean;
            nextCursor: string | null;
        };
        RotateKeyRequest: {
            /**
             * @description How long the old key goes on beside the new one.
             * @default 86400
             * @example 3600
             */
            overlapSeconds?: number;
        };
        EventResponse: {
            /** @example evt_1QABC */
            id: string;
            /** @enum {string} */
            object: "webhook_event";
            /** @example payment_intent.succeeded */
            type: string;
            /** @enum {string} */
            status: "received" | "held" | "applied" | "ignored" | "parked";
            livemode: boolean;
            apiVersion: string | null;
            stripeObjectId: string | null;
            /** @description null while its order is not known. */
            order: string | null;
            attempts: number;
            note: string | null;
            /** @description What Stripe sent is still kept. */
            isReplayable: boolean;
            /** Format: date-time */
            receivedAt: string;
            /** Format: date-time */
            processedAt: string | null;
            /** @description Only where one event is read. */
            payload?: {
                [key: string]: unknown;
            } | null;
        };
        EventListResponse: {
            /** @enum {string} */
            object: "list";
            data: components["schemas"]["EventResponse"][];
            hasMore: boolean;
            nextCursor: string | null;
        };
        ReplayEventsRequest: {
            /** @example payment_intent.succeeded */
            type: string;
            /**
             * @description RFC 3339 instant of receipt, inclusive.
             * @example 2026-01-31T08:00:00Z
             */
            from: string;
            /**
             * @description RFC 3339 instant of receipt, exclusive.
             * @example 2026-01-31T09:00:00Z
             */
            to: string;
        };
        ReplayResponse: {
            /** @enum {string} */
            object: "webhook_event_replay";
            type: string;
            replayed: number;
            /** Format: date-time */
            continueFrom: string | null;
        };
        OperationResponse: {
            /** @example op_01kax3k6wbf3e9tmgb0jv3c2q4 */
            id: string;
            /** @enum {string} */
            object: "operation";
            order: string;
            refund: string | null;
            /** @enum {string} */
            kind: "customer" | "create" | "confirm" | "capture" | "cancel" | "refund" | "cancel_orphan";
            orderedBy: string;
            /** @enum {string} */
            status: "queued" | "in_flight" | "unknown" | "parked";
            /** @description A send of it may have taken effect. */
            inDoubt: boolean;
            generation: number;
            attempts: number;
            lastError: {
                [key: string]: unknown;
            } | null;
            /** @description The X-Request-Id of the command that ordered it. */
            requestId: string | null;
            /** Format: date-time */
            firstSentAt: string | null;
            /** Format: date-time */
            nextAttemptAt: string;
            /** Format: date-time */
            retriedAt: string | null;
            /** Format: date-time */
            createdAt: string;
        };
        OperationListResponse: {
            /** @enum {string} */
            object: "list";
            data: components["schemas"]["OperationResponse"][];
            hasMore: boolean;
            nextCursor: string | null;
        };
        JobResponse: {
            id: string;
            /** @enum {string} */
            object: "job";
            /** @enum {string} */
            state: "failed";
            queue: string;
            kind: string;
            payload: {
                [key: string]: unknown;
            };
            reason: string;
            attempts: number;
            /** Format: date-time */
            failedAt: string;
            /** @description The job that was queued in its stead. */
            replacedBy: string | null;
        };
        JobListResponse: {
            /** @enum {string} */
            object: "list";
            data: components["schemas"]["JobResponse"][];
            hasMore: boolean;
            nextCursor: string | null;
        };
        ReconcileRequest: {
            /** @description true: only compare. */
            dryRun: boolean;
        };
        ReconciliationResponse: {
            /** @example rec_01kax3k6wbf3e9tmgb0jv3c2q4 */
            id: string;
            /** @enum {string} */
            object: "reconciliation";
            dryRun: boolean;
            /** @enum {string} */
            status: "queued" | "running" | "done" | "failed";
            /** @description The id of an API key, or `schedule`. */
            requestedBy: string;
            /** Format: date-time */
            requestedAt: string;
            /** Format: date-time */
            startedAt: string | null;
            /** Format: date-time */
            finishedAt: string | null;
            /** @description Counts, and the first differences with both values: those of the account and of no known order. */
            report: {
                [key: string]: unknown;
            } | null;
        };
        BreakerResponse: {
            /** @example stripe */
            id: string;
            /** @enum {string} */
            object: "breaker";
            /** @enum {string} */
            state: "closed" | "open" | "half_open";
            /** @enum {string|null} */
            cause: "outage" | "credentials" | null;
            /** @description In a row. */
            failures: number;
            /** Format: date-time */
            openedAt: string | null;
            /** Format: date-time */
            openUntil: string | null;
            lastError: string | null;
        };
        BreakerListResponse: {
            /** @enum {string} */
            object: "list";
            data: components["schemas"]["BreakerResponse"][];
            hasMore: boolean;
            nextCursor: string | null;
        };
        AuditEntryResponse: {
            /** @example aud_01kax3k6wbf3e9tmgb0jv3c2q4 */
            id: string;
            /** @enum {string} */
            object: "audit_entry";
            /** @description The id of the API key it was done with. */
            keyId: string;
            /** @example operation.retry */
            action: string;
            target: string | null;
            details: {
                [key: string]: unknown;
            };
            requestId: string;
            /** Format: date-time */
            at: string;
        };
        AuditListResponse: {
            /** @enum {string} */
            object: "list";
            data: components["schemas"]["AuditEntryResponse"][];
            hasMore: boolean;
            nextCursor: string | null;
        };
        /** @description Why a request was refused (RFC 9457). */
        Problem: {
            /** @description A page of this server that says how to mend it. */
            type: string;
            title: string;
            /** @description The HTTP status. */
            status: number;
            /** @description What was wrong this time. */
            detail: string;
            /** @description The path that was asked. */
            instance: string;
            /**
             * @description What programs go by.
             * @enum {string}
             */
            code: "validation_failed" | "amount_too_small" | "amount_too_large" | "card_number_refused" | "idempotency_key_missing" | "idempotency_key_invalid" | "idempotency_key_reused" | "idempotency_key_in_progress" | "idempotency_key_expired" | "webhook_signature_invalid" | "webhook_payload_invalid" | "unauthenticated" | "forbidden" | "not_found" | "operation_in_progress" | "refund_exceeds_captured" | "order_not_payable" | "order_not_capturable" | "order_not_cancelable" | "order_not_refundable" | "precondition_failed" | "not_retryable" | "method_not_allowed" | "request_timeout" | "headers_too_large" | "payload_too_large" | "unsupported_media_type" | "rate_limited" | "unavailable" | "internal_error";
            /** @description Of the request that was refused first, if this is its stored answer. */
            requestId: string;
            /** @description What is wrong, field by field. */
            errors?: {
                field: string;
                message: string;
            }[];
        };
    };
    responses: {
        /** @description It was refused, or could not be done now; `code` says why. */
        Problem: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "http://localhost:3000/problems/validation_failed",
                 *       "title": "The request is not valid",
                 *       "status": 400,
                 *       "detail": "Some items cannot be ordered.",
                 *       "instance": "/v1/orders",
                 *       "code": "validation_failed",
                 *       "requestId": "req_Yx3kq0VfJ2mB7c1d",
                 *       "errors": [
                 *         {
                 *           "field": "items.0.price",
                 *           "message": "is no active price: tshirt"
                 *         }
                 *       ]
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: {
        /** @description Names the request in the server's logs; every answer has one of its own. */
        "X-Request-Id": string;
        /** @description Where the caller stands: `r` requests are left, the count begins anew in `t` seconds. */
        RateLimit: string;
        /** @description The limit: `q` requests in `w` seconds, by key or, for publishable keys, by address. */
        "RateLimit-Policy": string;
        /** @description Names this state of the body. */
        ETag: string;
        /** @description What was made. */
        Location: string;
        /** @description `true` when this is the stored answer of an earlier request with the same key. */
        "Idempotency-Replayed": string;
        /** @description The `wait` that was granted, at most 30 seconds. */
        "Preference-Applied": string;
        /** @description The next page, if there is one (`rel="next"`). */
        Link: string;
        /** @description How many seconds to wait before the same request is sent again. */
        "Retry-After": string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listOrders: {
        parameters: {
            query?: {
                /** @description 1 to 100 */
                limit?: string;
                /** @description The `nextCursor` of the page before: the id of its last order. */
                startingAfter?: string;
                status?: "pending" | "processing" | "requires_payment" | "requires_action" | "authorized" | "paid" | "partially_refunded" | "refunded" | "canceled" | "expired" | "failed";
                reference?: string;
                /** @description RFC 3339 instant, inclusive. */
                createdFrom?: string;
                /** @description RFC 3339 instant, inclusive. */
                createdTo?: string;
            };
            header?: {
                /** @description An ETag: while it is still the current one, the answer is 304 without a body. */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    Link: components["headers"]["Link"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrderListResponse"];
                };
            };
            /** @description Nothing has changed since that ETag. */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    createOrder: {
        parameters: {
            query?: never;
            header: {
                /** @description 1 to 255 visible ASCII characters; with a publishable key at least 22. */
                "Idempotency-Key": string;
                /** @description `wait=N` holds the answer until nothing is under way any more, or for N seconds, at most 30 (RFC 7240). */
                Prefer?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateOrderRequest"];
            };
        };
        responses: {
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrderResponse"];
                };
            };
            /** @description It was refused; `code` says why. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getOrder: {
        parameters: {
            query?: never;
            header?: {
                /** @description The order's clientSecret; needed with a publishable key. */
                "Oncepay-Client-Secret"?: string;
                /** @description `wait=N` holds the answer until nothing is under way any more, or for N seconds, at most 30 (RFC 7240). */
                Prefer?: string;
                /** @description An ETag: while it is still the current one, the answer is 304 without a body. */
                "If-None-Match"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrderResponse"];
                };
            };
            /** @description Nothing has changed since that ETag. */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It was refused; `code` says why. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listOrderEvents: {
        parameters: {
            query?: never;
            header?: {
                /** @description The id of the last event received; the stream goes on after it. */
                "Last-Event-ID"?: string;
                /** @description The order's clientSecret; needed with a publishable key. */
                "Oncepay-Client-Secret"?: string;
                /** @description An ETag: while it is still the current one, the answer is 304 without a body. */
                "If-None-Match"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The timeline */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrderEventsResponse"];
                    "text/event-stream": string;
                };
            };
            /** @description Nothing has changed since that ETag. */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    payOrder: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the order as you last saw it. */
                "If-Match"?: string;
                /** @description 1 to 255 visible ASCII characters. */
                "Idempotency-Key": string;
                /** @description `wait=N` holds the answer until nothing is under way any more, or for N seconds, at most 30 (RFC 7240). */
                Prefer?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PayRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrderResponse"];
                };
            };
            /** @description It was refused; `code` says why. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    captureOrder: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the order as you last saw it. */
                "If-Match"?: string;
                /** @description 1 to 255 visible ASCII characters. */
                "Idempotency-Key": string;
                /** @description `wait=N` holds the answer until nothing is under way any more, or for N seconds, at most 30 (RFC 7240). */
                Prefer?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["CaptureRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrderResponse"];
                };
            };
            /** @description It was refused; `code` says why. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It was refused; `code` says why. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    cancelOrder: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the order as you last saw it. */
                "If-Match"?: string;
                /** @description 1 to 255 visible ASCII characters. */
                "Idempotency-Key": string;
                /** @description `wait=N` holds the answer until nothing is under way any more, or for N seconds, at most 30 (RFC 7240). */
                Prefer?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrderResponse"];
                };
            };
            /** @description It was refused; `code` says why. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It was refused; `code` says why. */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listRefunds: {
        parameters: {
            query?: never;
            header?: {
                /** @description An ETag: while it is still the current one, the answer is 304 without a body. */
                "If-None-Match"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RefundListResponse"];
                };
            };
            /** @description Nothing has changed since that ETag. */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    createRefund: {
        parameters: {
            query?: never;
            header: {
                /** @description 1 to 255 visible ASCII characters. */
                "Idempotency-Key": string;
                /** @description `wait=N` holds the answer until nothing is under way any more, or for N seconds, at most 30 (RFC 7240). */
                Prefer?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["CreateRefundRequest"];
            };
        };
        responses: {
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RefundResponse"];
                };
            };
            /** @description It was refused; `code` says why. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getRefund: {
        parameters: {
            query?: never;
            header?: {
                /** @description `wait=N` holds the answer until nothing is under way any more, or for N seconds, at most 30 (RFC 7240). */
                Prefer?: string;
                /** @description An ETag: while it is still the current one, the answer is 304 without a body. */
                "If-None-Match"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    "Preference-Applied": components["headers"]["Preference-Applied"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RefundResponse"];
                };
            };
            /** @description Nothing has changed since that ETag. */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description It was refused; `code` says why. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    putPrice: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutPriceRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PriceResponse"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listPrices: {
        parameters: {
            query?: never;
            header?: {
                /** @description An ETag: while it is still the current one, the answer is 304 without a body. */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PriceListResponse"];
                };
            };
            /** @description Nothing has changed since that ETag. */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listKeys: {
        parameters: {
            query?: never;
            header?: {
                /** @description An ETag: while it is still the current one, the answer is 304 without a body. */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyListResponse"];
                };
            };
            /** @description Nothing has changed since that ETag. */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    makeKey: {
        parameters: {
            query?: never;
            header: {
                /** @description 1 to 255 visible ASCII characters. */
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MakeKeyRequest"];
            };
        };
        responses: {
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MadeKeyResponse"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description An ETag: while it is still the current one, the answer is 304 without a body. */
                "If-None-Match"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyResponse"];
                };
            };
            /** @description Nothing has changed since that ETag. */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    revokeKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyResponse"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    rotateKey: {
        parameters: {
            query?: never;
            header: {
                /** @description 1 to 255 visible ASCII characters. */
                "Idempotency-Key": string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RotateKeyRequest"];
            };
        };
        responses: {
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MadeKeyResponse"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listWebhookEvents: {
        parameters: {
            query?: {
                /** @description 1 to 100 */
                limit?: string;
                /** @description The `nextCursor` of the page before. */
                startingAfter?: string;
                status?: "received" | "held" | "applied" | "ignored" | "parked";
                type?: string;
            };
            header?: {
                /** @description An ETag: while it is still the current one, the answer is 304 without a body. */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    Link: components["headers"]["Link"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventListResponse"];
                };
            };
            /** @description Nothing has changed since that ETag. */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    getWebhookEvent: {
        parameters: {
            query?: never;
            header?: {
                /** @description An ETag: while it is still the current one, the answer is 304 without a body. */
                "If-None-Match"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventResponse"];
                };
            };
            /** @description Nothing has changed since that ETag. */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    replayWebhookEvents: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReplayEventsRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReplayResponse"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    replayWebhookEvent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventResponse"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listOperations: {
        parameters: {
            query?: {
                /** @description 1 to 100 */
                limit?: string;
                /** @description The `nextCursor` of the page before. */
                startingAfter?: string;
                status?: "queued" | "in_flight" | "unknown" | "parked";
            };
            header?: {
                /** @description An ETag: while it is still the current one, the answer is 304 without a body. */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    Link: components["headers"]["Link"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationListResponse"];
                };
            };
            /** @description Nothing has changed since that ETag. */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    retryOperation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationResponse"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listFailedJobs: {
        parameters: {
            query?: {
                /** @description 1 to 100 */
                limit?: string;
                state?: "failed";
                /** @description The `nextCursor` of the page before. */
                startingAfter?: string;
            };
            header?: {
                /** @description An ETag: while it is still the current one, the answer is 304 without a body. */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    Link: components["headers"]["Link"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobListResponse"];
                };
            };
            /** @description Nothing has changed since that ETag. */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    retryJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobResponse"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    requestReconciliation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReconcileRequest"];
            };
        };
        responses: {
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReconciliationResponse"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getReconciliation: {
        parameters: {
            query?: never;
            header?: {
                /** @description An ETag: while it is still the current one, the answer is 304 without a body. */
                "If-None-Match"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReconciliationResponse"];
                };
            };
            /** @description Nothing has changed since that ETag. */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listBreakers: {
        parameters: {
            query?: never;
            header?: {
                /** @description An ETag: while it is still the current one, the answer is 304 without a body. */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BreakerListResponse"];
                };
            };
            /** @description Nothing has changed since that ETag. */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listAudit: {
        parameters: {
            query?: {
                /** @description 1 to 100 */
                limit?: string;
                /** @description The `nextCursor` of the page before. */
                startingAfter?: string;
            };
            header?: {
                /** @description An ETag: while it is still the current one, the answer is 304 without a body. */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    ETag: components["headers"]["ETag"];
                    Link: components["headers"]["Link"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditListResponse"];
                };
            };
            /** @description Nothing has changed since that ETag. */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
}
